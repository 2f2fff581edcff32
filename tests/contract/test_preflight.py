"""The dry run of a pod: which errors it reports, which it does not, and the permissions of its user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.adapters.kubernetes.impersonation import PREFLIGHT_USER
from chalicelib.domain.kubernetes.jobs import GPU
from tests.cluster.json_client import ErrorResponse
from tests.cluster.permissions import (
    NAMESPACE,
    OTHER_NAMESPACE,
    SUBMITTERS,
    Permission,
    as_caller,
    is_allowed,
    permission_cases,
)
from tests.support.eventually import eventually
from tests.support.namespace import ErrorStatus, error_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.json_client import Document, JsonClient
    from tests.cluster.target import Target

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
DRY_RUN = f"{PODS}?dryRun=All"
PREFLIGHT = [("Impersonate-User", PREFLIGHT_USER), ("Impersonate-Extra-Subject", "researcher:alice")]
DENIED = (
    "is forbidden: ValidatingAdmissionPolicy 'researcher-preflight' with binding 'researcher-preflight' "
    "denied request: researcher:preflight may only create pods in dry runs; send dryRun=All"
)
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def pod(gpus: int = 1, memory: str = "1Gi", context: Document | None = None, **spec: object) -> Document:
    """Return a pod that conforms to the restricted profile, unless *context* is set."""
    resources = {"limits": {GPU: str(gpus), "memory": memory}}
    container = {
        "name": "main",
        "image": "no-such-image:1",
        "resources": resources,
        "securityContext": context or RESTRICTED,
    }
    shared = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "metadata": {"generateName": "preflight-"},
        "spec": {"restartPolicy": "Never", "securityContext": shared, "containers": [container], **spec},
    }


def rejection(client: JsonClient, document: Document, path: str = DRY_RUN) -> ErrorStatus:
    """Create the pod as the preflight user, and return the error."""
    return error_of(lambda: client.request("POST", path, document, PREFLIGHT))


@pytest.fixture(scope="module")
def bounded(cluster_target: Target, own_identity: JsonClient) -> Iterator[JsonClient]:
    """Return the API's own identity, in a Project with a LimitRange and an effective admission policy."""
    metadata = {"name": "most", "namespace": NAMESPACE}
    spec = {"limits": [{"type": "Container", "max": {"memory": "8Gi"}}]}
    limits: list[dict[str, Any]] = [{"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": spec}]
    cluster_target.apply(limits)
    # The API server's caches of bindings, policies and limits lag behind for moments.
    eventually(lambda: is_allowed(own_identity, Permission("create", "pods", NAMESPACE), PREFLIGHT), bool)
    eventually(lambda: _creates(cluster_target, own_identity, pod(memory="9Gi"), DRY_RUN), lambda created: not created)
    eventually(lambda: _creates(cluster_target, own_identity, pod(), PODS), lambda created: not created)
    yield own_identity
    cluster_target.remove(limits)


def _creates(cluster_target: Target, client: JsonClient, document: Document, path: str) -> bool:
    """Return whether the preflight user may create the pod; delete it again."""
    try:
        created = client.request("POST", path, document, PREFLIGHT)
    except ErrorResponse:
        return False
    if path == PODS:
        cluster_target.admin.delete(f"{PODS}/{created['metadata']['name']}", gracePeriodSeconds=0)
    return True


class TestDryRun:
    """Errors that a dry run reports before the Job controller creates the pod."""

    def test_creates_no_pod(self, cluster_target: Target, bounded: JsonClient) -> None:
        """The response is a pod, and no pod is created."""
        created = bounded.request("POST", DRY_RUN, pod(), PREFLIGHT)

        assert created["kind"] == "Pod"
        assert cluster_target.admin.get(PODS)["items"] == []

    def test_quota(self, bounded: JsonClient) -> None:
        """The message of the quota has the format from which the API parses the numbers."""
        error = rejection(bounded, pod(gpus=9))

        assert error[:2] == (403, "Forbidden")
        assert error.message.endswith(
            "is forbidden: exceeded quota: researcher-project, requested: requests.nvidia.com/gpu=9, "
            "used: requests.nvidia.com/gpu=0, limited: requests.nvidia.com/gpu=8"
        )

    def test_pod_security(self, bounded: JsonClient) -> None:
        """The restricted profile is enforced."""
        error = rejection(bounded, pod(context={"privileged": True}))

        assert error[:2] == (403, "Forbidden")
        assert 'is forbidden: violates PodSecurity "restricted:latest": ' in error.message

    def test_limit_range(self, bounded: JsonClient) -> None:
        """The LimitRange is enforced."""
        error = rejection(bounded, pod(memory="16Gi"))

        assert error[:2] == (403, "Forbidden")
        assert error.message.endswith("is forbidden: maximum memory usage per Container is 8Gi, but limit is 16Gi")

    def test_missing_priority_class(self, bounded: JsonClient) -> None:
        """A missing PriorityClass is an error."""
        error = rejection(bounded, pod(priorityClassName="no-such"))

        assert error[:2] == (403, "Forbidden")
        assert error.message.endswith("is forbidden: no PriorityClass with name no-such was found")

    @pytest.mark.parametrize(
        "spec",
        [
            pytest.param({"nodeSelector": {"no-such": "node"}}, id="a node"),
            pytest.param(
                {"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "no-such"}}]}, id="a volume claim"
            ),
            pytest.param({"volumes": [{"name": "a", "secret": {"secretName": "no-such"}}]}, id="a Secret"),
        ],
    )
    def test_errors_of_a_later_phase(self, bounded: JsonClient, spec: dict[str, Any]) -> None:
        """Nodes, volumes, Secrets and images are not checked: the scheduler and the kubelet need them later."""
        assert bounded.request("POST", DRY_RUN, pod(**spec), PREFLIGHT)["kind"] == "Pod"


class TestUser:
    """The preflight user."""

    def test_cannot_create_pods(self, cluster_target: Target, bounded: JsonClient) -> None:
        """RBAC does not distinguish dry runs; the admission policy rejects the creation."""
        error = rejection(bounded, pod(), PODS)

        assert error[:2] == (403, "Forbidden")
        assert error.message.endswith(DENIED)
        assert cluster_target.admin.get(PODS)["items"] == []

    @pytest.mark.parametrize(
        "permission",
        permission_cases(
            *(f"{verb} pods @ {NAMESPACE}" for verb in ("get", "list", "watch", "update", "patch", "delete")),
            f"create pods:exec @ {NAMESPACE}",
            f"create pods:binding @ {NAMESPACE}",
            f"create jobs.batch @ {NAMESPACE}",
            f"list jobs.batch @ {NAMESPACE}",
            f"get secrets @ {NAMESPACE}",
            "create pods @ default",
            "create pods",
            "list namespaces",
            "impersonate users/researcher:api",
        ),
    )
    def test_has_no_other_permission(self, bounded: JsonClient, permission: Permission) -> None:
        """The user has no other permission, neither in a Project nor elsewhere."""
        assert not is_allowed(bounded, permission, PREFLIGHT)

    def test_is_limited_to_projects(self, bounded: JsonClient) -> None:
        """The permission is granted in the namespaces of Projects only."""
        assert is_allowed(bounded, Permission("create", "pods", OTHER_NAMESPACE), PREFLIGHT)
        assert not is_allowed(bounded, Permission("create", "pods", "kube-system"), PREFLIGHT)

    def test_callers_have_no_more_permissions(self, bounded: JsonClient) -> None:
        """A submitter may create Jobs, but no pods."""
        error = error_of(lambda: bounded.request("POST", DRY_RUN, pod(), as_caller(SUBMITTERS)))

        assert error[:2] == (403, "Forbidden")
        assert 'User "researcher:api" cannot create resource "pods"' in error.message

    def test_only_the_api_may_impersonate_it(self, cluster_target: Target, bounded: JsonClient) -> None:
        """Another identity cannot impersonate the preflight user."""
        del bounded
        stranger = cluster_target.client("stranger", ["researcher:team-a"])

        error = error_of(lambda: stranger.request("POST", DRY_RUN, pod(), PREFLIGHT))

        assert (error.status, "cannot impersonate" in error.message) == (403, True)
        stranger.close()
