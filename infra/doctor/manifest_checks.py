"""Checks of the objects that kubectl applied: those of infra/kubernetes/base, and those of each Project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.doctor.finding import Finding, check
from infra.kubernetes.access import API_GROUP, RBAC
from infra.kubernetes.project import base_manifests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.doctor.target import Kube, Target

BASE = "kubectl apply --kustomize infra/kubernetes/base"
PROJECT = (
    "Print the Project's manifests again, and apply them: python -m infra.kubernetes.project ... | kubectl apply -f -"
)
PLURALS = {
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "PriorityClass": "priorityclasses",
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
}
POLICY = "ValidatingAdmissionPolicy"
ROLES = ("researcher-janitor", "researcher-preflight", "researcher-submitter")


def base(target: Target) -> Iterator[Finding]:
    """Check that the objects of infra/kubernetes/base are those of this version, and can be evaluated."""
    if target.kube is None:
        yield Finding("base-manifests", "unknown", target.why_no_kube, "Pass --context.")
        return
    problems, policies = [], []
    manifest: Any
    for manifest in base_manifests():
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        found = target.kube.get(f"/apis/{manifest['apiVersion']}/{PLURALS[kind]}/{name}")
        problem = "is missing" if found is None else _difference(manifest, found)
        if problem:
            problems.append(f"{kind} {name} {problem}")
        if kind == POLICY and found and _warnings(found):
            policies.append(f"The cluster cannot evaluate {name}")
    yield check("base-manifests", "current", problems, BASE)
    yield check("admission-policies", "active", policies, f"Use a Kubernetes version that is supported, then {BASE}")


def _difference(wanted: Any, found: Any) -> str:  # noqa: ANN401 - any part of an object
    """Return that *found* differs if it does not have all that *wanted* has; the cluster adds defaults to objects."""
    return "" if _has(wanted, found) else "is not that of this version"


def _has(wanted: Any, found: Any) -> bool:  # noqa: ANN401 - any part of an object
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_has(part, found.get(key)) for key, part in wanted.items())
    if isinstance(wanted, list):
        same_length = isinstance(found, list) and len(wanted) == len(found)
        return same_length and all(_has(part, other) for part, other in zip(wanted, found, strict=True))
    return bool(wanted == found)


def _warnings(policy: dict[str, Any]) -> list[Any]:
    return list(policy.get("status", {}).get("typeChecking", {}).get("expressionWarnings") or [])


def projects(target: Target) -> Iterator[Finding]:
    """Check that each Project has its RoleBindings, and the API may impersonate each of its groups."""
    if target.kube is None:
        return
    problems = [problem for namespace in target.project_groups for problem in _problems(target, target.kube, namespace)]
    yield check("projects", f"{len(target.project_groups)} Projects", problems, PROJECT)


def _problems(target: Target, kube: Kube, namespace: str) -> Iterator[str]:
    bound = kube.items(f"/apis/{RBAC}/v1/namespaces/{namespace}/rolebindings")
    present = {each["roleRef"]["name"] for each in bound if each.get("subjects")}
    for role in ROLES:
        if role not in present:
            yield f"The namespace {namespace} has no RoleBinding of {role}"
    if not kube.items(f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"):
        yield f"The namespace {namespace} has no NetworkPolicy"
    name = f"{API_GROUP}-groups-{namespace.removeprefix('researcher-')}"
    granted, binding = (kube.get(f"/apis/{RBAC}/v1/{kind}/{name}") for kind in ("clusterroles", "clusterrolebindings"))
    allowed = {group for rule in (granted or {}).get("rules") or [] for group in rule.get("resourceNames") or []}
    for group in target.project_groups[namespace]:
        if group not in allowed or binding is None:
            yield f"The ClusterRole {name} does not name {group}, which has access to {namespace}, or is not bound"
