"""What the cluster tells in a dry run of a pod, what it does not, and what the user who asks may do: nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.adapters.kubernetes.impersonation import PREFLIGHT_USER
from chalicelib.domain.kubernetes.jobs import GPU
from tests.cluster.json_client import Refused
from tests.cluster.rights import OTHERS, OURS, SUBMITTERS, Ask, as_caller, may, rows
from tests.support.eventually import eventually
from tests.support.namespace import Outcome, outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.json_client import Document, JsonClient
    from tests.cluster.target import Target

PODS = f"/api/v1/namespaces/{OURS}/pods"
TRIES = f"{PODS}?dryRun=All"
PREFLIGHT = [("Impersonate-User", PREFLIGHT_USER), ("Impersonate-Extra-Subject", "researcher:alice")]
DENIED = (
    "is forbidden: ValidatingAdmissionPolicy 'researcher-preflight' with binding 'researcher-preflight' "
    "denied request: researcher:preflight may only create pods in dry runs; send dryRun=All"
)
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def pod(gpus: int = 1, memory: str = "1Gi", context: Document | None = None, **spec: object) -> Document:
    """A pod that the restricted level takes, unless *context* says otherwise."""
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


def refused(client: JsonClient, document: Document, path: str = TRIES) -> Outcome:
    """What the preflight's user is told who asks for the pod."""
    return outcome_of(lambda: client.request("POST", path, document, PREFLIGHT))


@pytest.fixture(scope="module")
def bounded(cluster_target: Target, own_identity: JsonClient) -> Iterator[JsonClient]:
    """The API's own identity; the Project has a LimitRange of its own, and the policy holds by now."""
    metadata = {"name": "most", "namespace": OURS}
    spec = {"limits": [{"type": "Container", "max": {"memory": "8Gi"}}]}
    limits: list[dict[str, Any]] = [{"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": spec}]
    cluster_target.apply(limits)
    # What the API server knows of bindings, policies and limits follows within moments.
    eventually(lambda: may(own_identity, Ask("create", "pods", OURS), PREFLIGHT), bool)
    eventually(lambda: _makes(cluster_target, own_identity, pod(memory="9Gi"), TRIES), lambda made: not made)
    eventually(lambda: _makes(cluster_target, own_identity, pod(), PODS), lambda made: not made)
    yield own_identity
    cluster_target.remove(limits)


def _makes(cluster_target: Target, client: JsonClient, document: Document, path: str) -> bool:
    """Whether the preflight's user is let through; what it made is taken away again."""
    try:
        made = client.request("POST", path, document, PREFLIGHT)
    except Refused:
        return False
    if path == PODS:
        cluster_target.admin.delete(f"{PODS}/{made['metadata']['name']}", gracePeriodSeconds=0)
    return True


class TestDryRun:
    """What is told now and not when the Job's controller makes the pod."""

    def test_takes_a_pod_and_makes_none(self, cluster_target: Target, bounded: JsonClient) -> None:
        """The answer is a pod, and there is none."""
        made = bounded.request("POST", TRIES, pod(), PREFLIGHT)

        assert made["kind"] == "Pod"
        assert cluster_target.admin.get(PODS)["items"] == []

    def test_tells_of_quota(self, bounded: JsonClient) -> None:
        """In the words that we read numbers from."""
        told = refused(bounded, pod(gpus=9))

        assert told[:2] == (403, "Forbidden")
        assert told.message.endswith(
            "is forbidden: exceeded quota: researcher-project, requested: requests.nvidia.com/gpu=9, "
            "used: requests.nvidia.com/gpu=0, limited: requests.nvidia.com/gpu=8"
        )

    def test_tells_of_pod_security(self, bounded: JsonClient) -> None:
        """The restricted level."""
        told = refused(bounded, pod(context={"privileged": True}))

        assert told[:2] == (403, "Forbidden")
        assert 'is forbidden: violates PodSecurity "restricted:latest": ' in told.message

    def test_tells_of_limits(self, bounded: JsonClient) -> None:
        """The LimitRange."""
        told = refused(bounded, pod(memory="16Gi"))

        assert told[:2] == (403, "Forbidden")
        assert told.message.endswith("is forbidden: maximum memory usage per Container is 8Gi, but limit is 16Gi")

    def test_tells_of_a_priority_that_is_not_there(self, bounded: JsonClient) -> None:
        """The PriorityClass."""
        told = refused(bounded, pod(priorityClassName="no-such"))

        assert told[:2] == (403, "Forbidden")
        assert told.message.endswith("is forbidden: no PriorityClass with name no-such was found")

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
    def test_does_not_tell_what_is_found_out_later(self, bounded: JsonClient, spec: dict[str, Any]) -> None:
        """The scheduler and the node look for these, and for the image, when there is a pod."""
        assert bounded.request("POST", TRIES, pod(**spec), PREFLIGHT)["kind"] == "Pod"


class TestUser:
    """The user who asks."""

    def test_makes_no_pod(self, cluster_target: Target, bounded: JsonClient) -> None:
        """RBAC knows no dry runs; the policy does."""
        told = refused(bounded, pod(), PODS)

        assert told[:2] == (403, "Forbidden")
        assert told.message.endswith(DENIED)
        assert cluster_target.admin.get(PODS)["items"] == []

    @pytest.mark.parametrize(
        "ask",
        rows(
            *(f"{verb} pods @ {OURS}" for verb in ("get", "list", "watch", "update", "patch", "delete")),
            f"create pods:exec @ {OURS}",
            f"create pods:binding @ {OURS}",
            f"create jobs.batch @ {OURS}",
            f"list jobs.batch @ {OURS}",
            f"get secrets @ {OURS}",
            "create pods @ default",
            "create pods",
            "list namespaces",
            "impersonate users/researcher:api",
        ),
    )
    def test_may_do_nothing_else(self, bounded: JsonClient, ask: Ask) -> None:
        """In no Project, and nowhere else."""
        assert not may(bounded, ask, PREFLIGHT)

    def test_tries_in_projects_alone(self, bounded: JsonClient) -> None:
        """Each Project's manifests allow it there."""
        assert may(bounded, Ask("create", "pods", OTHERS), PREFLIGHT)
        assert not may(bounded, Ask("create", "pods", "kube-system"), PREFLIGHT)

    def test_gives_callers_nothing(self, bounded: JsonClient) -> None:
        """A submitter still may create Jobs and no pods."""
        told = outcome_of(lambda: bounded.request("POST", TRIES, pod(), as_caller(SUBMITTERS)))

        assert told[:2] == (403, "Forbidden")
        assert 'User "researcher:api" cannot create resource "pods"' in told.message

    def test_is_taken_by_nobody_but_the_api(self, cluster_target: Target, bounded: JsonClient) -> None:
        """Another identity cannot ask as it."""
        del bounded
        stranger = cluster_target.client("stranger", ["researcher:team-a"])

        told = outcome_of(lambda: stranger.request("POST", TRIES, pod(), PREFLIGHT))

        assert (told.status, "cannot impersonate" in told.message) == (403, True)
        stranger.close()
