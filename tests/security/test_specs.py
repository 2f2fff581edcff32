"""Generated valid Submissions: their pods have no more privileges than intended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from chalicelib.domain.manifest.job import render
from infra.localcluster.cluster import EmbeddedCluster
from infra.localcluster.pod_security import violations
from tests.cluster.json_client import ErrorResponse
from tests.security.attacks import CASES
from tests.security.hostile_tokens import bearer
from tests.security.sending import problem, send_raw
from tests.support.builders import ALICE, identity, submission
from tests.support.submissions import documents, submissions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.domain.submission.model import Submission
    from infra.local.local_stack import Stack
    from tests.cluster.real_cluster import RealCluster
    from tests.support.attack_recorder import Counter

SAMPLE = min(CASES, 500)
"""The number of dry runs; each is sent to the cluster twice."""
PODS = "/api/v1/namespaces/researcher-team-a/pods?dryRun=All&fieldValidation=Strict"

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]

EVERYTHING = submission(
    command=["a"], arguments=["b"], environment={"A": "b", "C": {"secret": {"name": "s", "key": "k"}}}, gpu=1, cpu=1,
    cpuLimit=2, memory="1Gi", memoryLimit="2Gi", nodeType="p5", preemptible=True, largeShm=True, stdin=True, tty=True,
    pvc=[{"path": "/a", "name": "n"}, {"path": "/b", "size": "1Gi", "storageClass": "c"}], imagePullPolicy="Always",
    workingDir="/w",
)  # fmt: skip
"""A Submission with every field that reaches the pod."""

ALLOWED = """
metadata.labels.app.kubernetes.io/managed-by metadata.labels.researcher.dev/project metadata.labels.researcher.dev/type
metadata.labels.researcher.dev/user
spec.automountServiceAccountToken spec.enableServiceLinks spec.nodeSelector.node.kubernetes.io/instance-type
spec.priorityClassName spec.restartPolicy
spec.securityContext.fsGroup spec.securityContext.fsGroupChangePolicy spec.securityContext.runAsGroup
spec.securityContext.runAsNonRoot spec.securityContext.runAsUser spec.securityContext.seccompProfile.type
spec.containers[].args[] spec.containers[].command[] spec.containers[].image spec.containers[].imagePullPolicy
spec.containers[].name spec.containers[].stdin spec.containers[].tty spec.containers[].workingDir
spec.containers[].terminationMessagePolicy
spec.containers[].env[].name spec.containers[].env[].value spec.containers[].env[].valueFrom.secretKeyRef.key
spec.containers[].env[].valueFrom.fieldRef.fieldPath spec.subdomain
spec.containers[].env[].valueFrom.secretKeyRef.name
spec.containers[].resources.limits.cpu spec.containers[].resources.limits.memory
spec.containers[].resources.limits.nvidia.com/gpu
spec.containers[].resources.requests.cpu spec.containers[].resources.requests.memory
spec.containers[].resources.requests.nvidia.com/gpu
spec.containers[].securityContext.allowPrivilegeEscalation spec.containers[].securityContext.capabilities.drop[]
spec.containers[].securityContext.privileged
spec.containers[].volumeMounts[].mountPath spec.containers[].volumeMounts[].name
spec.containers[].volumeMounts[].readOnly
spec.volumes[].name spec.volumes[].emptyDir.medium spec.volumes[].emptyDir.sizeLimit
spec.volumes[].persistentVolumeClaim.claimName spec.volumes[].persistentVolumeClaim.readOnly
spec.volumes[].ephemeral.volumeClaimTemplate.spec.accessModes[]
spec.volumes[].ephemeral.volumeClaimTemplate.spec.resources.requests.storage
spec.volumes[].ephemeral.volumeClaimTemplate.spec.storageClassName
"""
"""Every path of a pod that a Submission can reach; add new ones here after a review."""


def paths(value: object, path: str = "") -> Iterator[str]:
    """Yield the paths of the values in *value*."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{path}[]")
    else:
        yield path


def template(job: Submission) -> dict[str, Any]:
    """Return the pod template of *job*."""
    found: dict[str, Any] = render(job, ALICE, identity())["spec"]["template"]
    return found


@pytest.mark.attack("specs")
def test_list_of_paths_is_minimal(counter: Counter) -> None:
    """A Submission with every field, together with a multi-node one, reaches every path of the list."""
    counter.count(0)
    reached = {*paths(template(EVERYTHING)), *paths(template(submission(nodes=2)))}

    assert reached == set(ALLOWED.split())


@pytest.mark.attack("specs")
def test_pods_have_only_listed_paths(counter: Counter) -> None:
    """Pods conform to restricted Pod Security, have no token and no service links, and no path beyond the list."""
    reached_paths: set[str] = set()
    tried = []

    @settings(max_examples=CASES, database=None, derandomize=True, suppress_health_check=QUIET)
    @given(submissions())
    def check(job: Submission) -> None:
        pod = template(job)
        tried.append(job)
        reached_paths.update(paths(pod))
        assert violations(pod["spec"]) == []
        assert (pod["spec"]["automountServiceAccountToken"], pod["spec"]["enableServiceLinks"]) == (False, False)

    check()

    counter.count(len(tried))
    assert reached_paths <= set(ALLOWED.split())


def rejection_of_pod(stack: Stack[EmbeddedCluster | RealCluster], job: dict[str, Any]) -> str:
    """Return why the cluster would reject a pod of *job*, a stored Job; the real cluster decides itself."""
    spec = job["spec"]["template"]["spec"]
    if isinstance(stack.cluster, EmbeddedCluster):
        return ", ".join(violations(spec))
    try:
        stack.cluster.plane.admin.create(PODS, {"metadata": {"name": "probe"}, "spec": spec})
    except ErrorResponse as error:
        return str(error.body)
    return ""


@pytest.mark.attack("strict")
def test_cluster_accepts_every_submission(stack: Stack[EmbeddedCluster | RealCluster], counter: Counter) -> None:
    """The cluster knows every field, accepts every value, and admits the pods, except for a used-up quota."""
    headers = bearer(stack.issuer.mint("alice"))
    tried = []

    @settings(max_examples=SAMPLE, database=None, derandomize=True, suppress_health_check=QUIET)
    @given(documents())
    def check(document: dict[str, Any]) -> None:
        tried.append(document)
        for variable in document.get("environment", {}).values():
            if isinstance(variable, dict):
                variable["secret"]["name"] = "hub"
        response = send_raw(stack, "POST", "/jobs?dryRun=true", headers, {**document, "project": "team-a"})
        document_ = problem(response)
        assert response.status == 200 or document_["code"] == "quota_exceeded", document_
        if response.status == 200:
            reason = rejection_of_pod(stack, document_)
            assert not reason or "exceeded quota" in reason, reason

    check()

    counter.count(len(tried))
