"""A Project's room on the cluster: its namespace, and what bounds what runs there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.kubernetes.jobs import GPU
from chalicelib.domain.kubernetes.quantities import DEFAULT_MEMORY, MAX_VOLUME
from chalicelib.domain.labels import PROJECT_LABEL, SECRETS_ANNOTATION
from chalicelib.domain.names import namespace_of
from infra.kubernetes.commented_manifest import CommentedManifest, commented

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.names import ProjectName
    from infra.kubernetes.commented_manifest import Manifest

SYSTEM_PRIORITIES = ("system-cluster-critical", "system-node-critical")
MAX_JOBS = "2k"
"""Finished Jobs count until their retention ends, so this is a week's work and not what runs at once.

Written as the cluster writes it back, so that applying it again changes nothing."""
MAX_PODS = "500"
"""Pods that have not finished."""
MAX_CLAIMS = "1k"
"""PersistentVolumeClaims; each scratch volume of a pod is one."""

CREDENTIAL_SERVICES = {
    "0.0.0.0/0": ["169.254.169.254/32", "169.254.170.23/32"],
    "::/0": ["fd00:ec2::254/128", "fd00:ec2::23/128"],
}
"""All addresses, and those among them that hand out AWS credentials: the node's metadata, and EKS Pod Identity's agent.

The other link-local addresses stay: DNS and time are among them. Amazon ECS's, 169.254.170.2, is not served by EKS.
"""
_NOTHING = {"pods": "0"}


def project_namespace(project: ProjectName, gpus: int, storage: str, secrets: Sequence[str]) -> list[CommentedManifest]:
    """The namespace of *project*, whose Jobs may name *secrets*, and what its Jobs may use at most."""
    namespace = namespace_of(project)
    return [
        _namespace(project, namespace, secrets),
        _resource_quota(namespace, gpus, storage),
        _no_pods(
            namespace,
            "researcher-project-priorities",
            "Any namespace may use the priorities of the cluster's own pods, which preempt all others.",
            {"scopeName": "PriorityClass", "operator": "In", "values": list(SYSTEM_PRIORITIES)},
        ),
        _no_pods(
            namespace,
            "researcher-project-affinity",
            "A pod that repels those of other namespaces would keep them off their nodes.",
            {"scopeName": "CrossNamespacePodAffinity", "operator": "Exists"},
        ),
        _limit_range(namespace),
        _network_policy(namespace),
    ]


def _namespace(project: ProjectName, namespace: str, secrets: Sequence[str]) -> CommentedManifest:
    modes = ("enforce", "warn", "audit")
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in modes}
    return commented(
        "The label makes this namespace a Project. Pod Security refuses what the API would never render. "
        "Jobs may name the listed Secrets, and no others.",
        "v1/Namespace",
        {
            "name": namespace,
            "labels": {PROJECT_LABEL: project, **security},
            "annotations": {SECRETS_ANNOTATION: ",".join(sorted(set(secrets)))},
        },
    )


def _resource_quota(namespace: str, gpus: int, storage: str) -> CommentedManifest:
    hard = {
        f"requests.{GPU}": str(gpus),
        "requests.storage": storage,
        "persistentvolumeclaims": MAX_CLAIMS,
        "count/jobs.batch": MAX_JOBS,
        # One for each multi-node Job, which takes it along.
        "count/services": MAX_JOBS,
        "services.loadbalancers": "0",
        "services.nodeports": "0",
        "pods": MAX_PODS,
    }
    return commented(
        "Projects share GPUs and storage by quota. The counts bound Jobs, Services and unfinished pods.",
        "v1/ResourceQuota",
        {"name": "researcher-project", "namespace": namespace},
        spec={"hard": hard},
    )


def _no_pods(namespace: str, name: str, why: str, scope: Manifest) -> CommentedManifest:
    spec = {"hard": _NOTHING, "scopeSelector": {"matchExpressions": [scope]}}
    return commented(why, "v1/ResourceQuota", {"name": name, "namespace": namespace}, spec=spec)


def _limit_range(namespace: str) -> CommentedManifest:
    container = {
        "type": "Container",
        "defaultRequest": {"cpu": "1", "memory": "4Gi", "ephemeral-storage": "1Gi"},
        "default": {"memory": DEFAULT_MEMORY, "ephemeral-storage": "50Gi"},
    }
    claim = {"type": "PersistentVolumeClaim", "max": {"storage": MAX_VOLUME}}
    return commented(
        "A container that requests nothing would be put on a full node, and one without limits may use up all of it.",
        "v1/LimitRange",
        {"name": "researcher-project", "namespace": namespace},
        spec={"limits": [container, claim]},
    )


def _network_policy(namespace: str) -> CommentedManifest:
    outside: list[Manifest] = [
        {"ipBlock": {"cidr": everywhere, "except": services}} for everywhere, services in CREDENTIAL_SERVICES.items()
    ]
    return commented(
        "Nothing comes in from other namespaces; everything may go out, but not to AWS credentials.",
        "networking.k8s.io/v1/NetworkPolicy",
        {"name": "researcher-project", "namespace": namespace},
        spec={
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [{"podSelector": {}}]}],
            # Some network plugins match pods, such as the cluster's DNS, by selectors only and not by addresses.
            "egress": [{"to": [*outside, {"namespaceSelector": {}}]}],
        },
    )
