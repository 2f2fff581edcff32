"""The namespace of a Project with its ResourceQuotas, LimitRange and NetworkPolicy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.kubernetes.jobs import GPU
from chalicelib.domain.kubernetes.quantities import DEFAULT_MEMORY, MAX_VOLUME
from chalicelib.domain.labels import PROJECT_LABEL, SECRETS_ANNOTATION
from chalicelib.domain.names import namespace_of
from infra.kubernetes.commented_manifest import CommentedManifest, with_comment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.names import ProjectName
    from infra.kubernetes.commented_manifest import Manifest

SYSTEM_PRIORITIES = ("system-cluster-critical", "system-node-critical")
MAX_JOBS = "2k"
"""Finished Jobs count until the cleanup deletes them, so this is a week's work and not the number of active Jobs.

Written in the cluster's canonical form, so that applying it again changes nothing.
"""
MAX_PODS = "500"
"""Pods that have not terminated."""
MAX_CLAIMS = "1k"
"""PersistentVolumeClaims; each scratch volume of a pod has one."""

CREDENTIAL_SERVICES = {
    "0.0.0.0/0": ["169.254.169.254/32", "169.254.170.23/32"],
    "::/0": ["fd00:ec2::254/128", "fd00:ec2::23/128"],
}
"""All addresses, without those that serve AWS credentials: the instance metadata and the EKS Pod Identity agent.

Other link-local addresses stay allowed, among them DNS and time. EKS does not serve 169.254.170.2 of Amazon ECS.
"""
_NOTHING = {"pods": "0"}


def project_namespace(project: ProjectName, gpus: int, storage: str, secrets: Sequence[str]) -> list[CommentedManifest]:
    """Return the namespace of *project*, whose Jobs may name *secrets*, and the objects that limit its Jobs."""
    namespace = namespace_of(project)
    return [
        _namespace(project, namespace, secrets),
        _resource_quota(namespace, gpus, storage),
        _no_pods(
            namespace,
            "researcher-project-priorities",
            "Without this quota, pods could use the priorities of system pods, which preempt all others.",
            {"scopeName": "PriorityClass", "operator": "In", "values": list(SYSTEM_PRIORITIES)},
        ),
        _no_pods(
            namespace,
            "researcher-project-affinity",
            "Without this quota, anti-affinity to pods of other namespaces could keep those off nodes.",
            {"scopeName": "CrossNamespacePodAffinity", "operator": "Exists"},
        ),
        _limit_range(namespace),
        _network_policy(namespace),
    ]


def _namespace(project: ProjectName, namespace: str, secrets: Sequence[str]) -> CommentedManifest:
    modes = ("enforce", "warn", "audit")
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in modes}
    return with_comment(
        "The label makes this namespace a Project. Pod Security rejects pods that the API never renders. "
        "Jobs may use only the listed Secrets.",
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
        # one for each multi-node Job, deleted with it
        "count/services": MAX_JOBS,
        "services.loadbalancers": "0",
        "services.nodeports": "0",
        "pods": MAX_PODS,
    }
    return with_comment(
        "Limits GPUs, storage, and the number of Jobs, Services and active pods.",
        "v1/ResourceQuota",
        {"name": "researcher-project", "namespace": namespace},
        spec={"hard": hard},
    )


def _no_pods(namespace: str, name: str, comment: str, scope: Manifest) -> CommentedManifest:
    spec = {"hard": _NOTHING, "scopeSelector": {"matchExpressions": [scope]}}
    return with_comment(comment, "v1/ResourceQuota", {"name": name, "namespace": namespace}, spec=spec)


def _limit_range(namespace: str) -> CommentedManifest:
    container = {
        "type": "Container",
        "defaultRequest": {"cpu": "1", "memory": "4Gi", "ephemeral-storage": "1Gi"},
        "default": {"memory": DEFAULT_MEMORY, "ephemeral-storage": "50Gi"},
    }
    claim = {"type": "PersistentVolumeClaim", "max": {"storage": MAX_VOLUME}}
    return with_comment(
        "Without requests, containers would be put on full nodes, and without limits they could use up a whole node.",
        "v1/LimitRange",
        {"name": "researcher-project", "namespace": namespace},
        spec={"limits": [container, claim]},
    )


def _network_policy(namespace: str) -> CommentedManifest:
    ip_blocks: list[Manifest] = [
        {"ipBlock": {"cidr": cidr, "except": services}} for cidr, services in CREDENTIAL_SERVICES.items()
    ]
    return with_comment(
        "Where the cluster enforces NetworkPolicies: denies ingress from other namespaces, and egress to the services "
        "with AWS credentials.",
        "networking.k8s.io/v1/NetworkPolicy",
        {"name": "researcher-project", "namespace": namespace},
        spec={
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [{"podSelector": {}}]}],
            # Some network plugins match pods, such as those of the cluster's DNS, only by selectors and not by
            # addresses.
            "egress": [{"to": [*ip_blocks, {"namespaceSelector": {}}]}],
        },
    )
