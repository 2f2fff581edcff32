"""A Project's room on the cluster: its namespace, and what bounds what runs there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.kubernetes import GPU
from chalicelib.domain.names import PROJECT_MARK, namespace_of
from infra.kubernetes.explained import Explained, explained

if TYPE_CHECKING:
    from chalicelib.domain.names import ProjectName
    from infra.kubernetes.explained import Manifest

MAX_JOBS = "2k"
"""Finished Jobs count until their retention ends, so this is a week's work and not what runs at once.

Written as the cluster writes it back, so that applying it again changes nothing."""
MAX_PODS = "500"
"""Pods that have not finished."""

METADATA_SERVICES = {"0.0.0.0/0": "169.254.169.254/32", "::/0": "fd00:ec2::254/128"}
"""All addresses, and the one among them that hands out the node's AWS credentials."""


def room(project: ProjectName, gpus: int) -> list[Explained]:
    """The namespace of *project*, held to *gpus* GPUs and away from the node's credentials."""
    namespace = namespace_of(project)
    return [
        _namespace(project, namespace),
        _resource_quota(namespace, gpus),
        _limit_range(namespace),
        _network_policy(namespace),
    ]


def _namespace(project: ProjectName, namespace: str) -> Explained:
    modes = ("enforce", "warn", "audit")
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in modes}
    return explained(
        "The label makes this namespace a Project. Pod Security refuses what the API would never render.",
        "v1/Namespace",
        {"name": namespace, "labels": {PROJECT_MARK: project, **security}},
    )


def _resource_quota(namespace: str, gpus: int) -> Explained:
    hard = {f"requests.{GPU}": str(gpus), "count/jobs.batch": MAX_JOBS, "pods": MAX_PODS}
    return explained(
        "Projects share the GPUs by quota. The counts keep one Project from filling the cluster's database.",
        "v1/ResourceQuota",
        {"name": "researcher-project", "namespace": namespace},
        spec={"hard": hard},
    )


def _limit_range(namespace: str) -> Explained:
    requests = {"cpu": "1", "memory": "4Gi"}
    return explained(
        "A container that asks for no processor and memory would be put on a full node.",
        "v1/LimitRange",
        {"name": "researcher-project", "namespace": namespace},
        spec={"limits": [{"type": "Container", "defaultRequest": requests}]},
    )


def _network_policy(namespace: str) -> Explained:
    outside: list[Manifest] = [
        {"ipBlock": {"cidr": everywhere, "except": [service]}} for everywhere, service in METADATA_SERVICES.items()
    ]
    return explained(
        "Nothing comes in from other namespaces; everything may go out, but not to the node's credentials.",
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
