"""Generated Submissions, all of them valid: what becomes of them holds no pod that may do more than it should."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from chalicelib.domain.manifest.job import render
from infra.localcluster.cluster import EmbeddedCluster
from infra.localcluster.pod_security import violations
from tests.cluster.json_client import Refused
from tests.security.attacks import CASES
from tests.security.hostile_tokens import bearer
from tests.security.sending import problem, sent
from tests.support.builders import ALICE, identity, submission
from tests.support.submissions import documents, submissions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.domain.submission.model import Submission
    from infra.local.local_stack import Stack
    from tests.cluster.real_cluster import RealCluster
    from tests.support.attack_recorder import Counter

SAMPLE = min(CASES, 500)
"""Dry runs: each is asked of the cluster, twice."""
PODS = "/api/v1/namespaces/researcher-team-a/pods?dryRun=All&fieldValidation=Strict"

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]

EVERYTHING = submission(
    command=["a"], arguments=["b"], environment={"A": "b", "C": {"secret": {"name": "s", "key": "k"}}}, gpu=1, cpu=1,
    cpuLimit=2, memory="1Gi", memoryLimit="2Gi", nodeType="p5", preemptible=True, largeShm=True, stdin=True, tty=True,
    pvc=[{"path": "/a", "name": "n"}, {"path": "/b", "size": "1Gi", "storageClass": "c"}], imagePullPolicy="Always",
    workingDir="/w",
)  # fmt: skip
"""Every field that reaches the pod."""

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
"""Every place of a pod that a Submission can reach: a new one belongs here, after somebody has thought about it."""


def paths(value: object, here: str = "") -> Iterator[str]:
    """The places in *value* where something stands."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, f"{here}.{name}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{here}[]")
    else:
        yield here


def template(asked: Submission) -> dict[str, Any]:
    """What the pods of *asked* are made from."""
    found: dict[str, Any] = render(asked, ALICE, identity())["spec"]["template"]
    return found


@pytest.mark.attack("specs")
def test_list_of_places_is_no_longer_than_it_has_to_be(counter: Counter) -> None:
    """One Submission with everything reaches all of it, beside one of several nodes."""
    counter.tried(0)
    reached = {*paths(template(EVERYTHING)), *paths(template(submission(nodes=2)))}

    assert reached == set(ALLOWED.split())


@pytest.mark.attack("specs")
def test_no_submission_reaches_more(counter: Counter) -> None:
    """Restricted Pod Security, no token, no service's address, and no field beyond the list."""
    seen: set[str] = set()
    tried = []

    @settings(max_examples=CASES, database=None, derandomize=True, suppress_health_check=QUIET)
    @given(submissions())
    def holds(asked: Submission) -> None:
        pod = template(asked)
        tried.append(asked)
        seen.update(paths(pod))
        assert violations(pod["spec"]) == []
        assert (pod["spec"]["automountServiceAccountToken"], pod["spec"]["enableServiceLinks"]) == (False, False)

    holds()

    counter.tried(len(tried))
    assert seen <= set(ALLOWED.split())


def refusal_of_pod(stack: Stack[EmbeddedCluster | RealCluster], made: dict[str, Any]) -> str:
    """Why the cluster would take no pod of *made*, a Job as it would be stored; the real one is asked."""
    spec = made["spec"]["template"]["spec"]
    if isinstance(stack.cluster, EmbeddedCluster):
        return ", ".join(violations(spec))
    try:
        stack.cluster.plane.admin.create(PODS, {"metadata": {"name": "probe"}, "spec": spec})
    except Refused as refused:
        return str(refused.body)
    return ""


@pytest.mark.attack("strict")
def test_cluster_takes_every_submission(stack: Stack[EmbeddedCluster | RealCluster], counter: Counter) -> None:
    """No field is unknown to it, no value is refused, and Pod Security takes the pods; a quota may have no room."""
    headers = bearer(stack.issuer.mint("alice"))
    tried = []

    @settings(max_examples=SAMPLE, database=None, derandomize=True, suppress_health_check=QUIET)
    @given(documents())
    def holds(document: dict[str, Any]) -> None:
        tried.append(document)
        for variable in document.get("environment", {}).values():
            if isinstance(variable, dict):
                variable["secret"]["name"] = "hub"
        reply = sent(stack, "POST", "/jobs?dryRun=true", headers, {**document, "project": "team-a"})
        told = problem(reply)
        assert reply.status == 200 or told["code"] == "quota_exceeded", told
        if reply.status == 200:
            why = refusal_of_pod(stack, told)
            assert not why or "exceeded quota" in why, why

    holds()

    counter.tried(len(tried))
