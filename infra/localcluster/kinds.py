"""The kinds of objects that the embedded API serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ADMISSION = "admissionregistration.k8s.io"
RBAC = "rbac.authorization.k8s.io"

Document = dict[str, Any]
"""A Kubernetes object as JSON."""


@dataclass(frozen=True)
class Kind:
    """A kind of object and its path segment."""

    group: str
    plural: str
    name: str
    namespaced: bool = True
    fields: tuple[str, ...] = ()
    """Fields that field selectors support besides name and namespace."""

    @property
    def resource(self) -> str:
        """The qualified plural in messages, such as `jobs.batch`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        """The value of apiVersion, such as `batch/v1`."""
        return f"{self.group}/v1" if self.group else "v1"


NAMESPACE = Kind("", "namespaces", "Namespace", namespaced=False, fields=("status.phase",))
POD = Kind("", "pods", "Pod", fields=("status.phase", "spec.nodeName"))
JOB = Kind("batch", "jobs", "Job", fields=("status.successful",))
EVENT = Kind(
    "", "events", "Event", fields=("involvedObject.name", "involvedObject.kind", "involvedObject.uid", "reason")
)
QUOTA = Kind("", "resourcequotas", "ResourceQuota")
LIMIT_RANGE = Kind("", "limitranges", "LimitRange")
SERVICE = Kind("", "services", "Service")
SERVICE_ACCOUNT = Kind("", "serviceaccounts", "ServiceAccount")
PRIORITY_CLASS = Kind("scheduling.k8s.io", "priorityclasses", "PriorityClass", namespaced=False)
CLAIM = Kind("", "persistentvolumeclaims", "PersistentVolumeClaim")
NODE = Kind("", "nodes", "Node", namespaced=False)
ROLE = Kind(RBAC, "roles", "Role")
ROLE_BINDING = Kind(RBAC, "rolebindings", "RoleBinding")
CLUSTER_ROLE = Kind(RBAC, "clusterroles", "ClusterRole", namespaced=False)
CLUSTER_ROLE_BINDING = Kind(RBAC, "clusterrolebindings", "ClusterRoleBinding", namespaced=False)

KINDS = (
    NAMESPACE,
    POD,
    JOB,
    EVENT,
    QUOTA,
    NODE,
    ROLE,
    ROLE_BINDING,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    LIMIT_RANGE,
    PRIORITY_CLASS,
    SERVICE,
    SERVICE_ACCOUNT,
    CLAIM,
    Kind("networking.k8s.io", "networkpolicies", "NetworkPolicy"),
    Kind(ADMISSION, "validatingadmissionpolicies", "ValidatingAdmissionPolicy", namespaced=False),
    Kind(ADMISSION, "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", namespaced=False),
)
BY_PLURAL = {(kind.group, kind.plural): kind for kind in KINDS}
BY_NAME = {(kind.api_version, kind.name): kind for kind in KINDS}
