"""Role-based access control with the roles and bindings in the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.localcluster.identity import MASTERS, Identity
from infra.localcluster.kinds import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, RBAC, ROLE, ROLE_BINDING
from infra.localcluster.status_errors import StatusError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.localcluster.kinds import Document
    from infra.localcluster.store import Store

_EVERYTHING: Document = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
_REVIEWS: tuple[Document, ...] = (
    {
        "verbs": ["create"],
        "apiGroups": ["authorization.k8s.io"],
        "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    },
    {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]},
)
"""The rules of the built-in role system:basic-user, which all authenticated users have."""


@dataclass(frozen=True)
class AccessAttributes:
    """A requested action; *resource* may contain a subresource, such as `pods/log`."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""


class Rbac:
    """Decides with the current objects in *store*."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def allows(self, who: Identity, what: AccessAttributes) -> bool:
        """Return whether *who* may do *what*."""
        return any(_covers(rule, what) for rule in self.rules(who, what.namespace))

    def check(self, who: Identity, what: AccessAttributes) -> None:
        """Raise StatusError 403 with the message of a real cluster, unless *who* may do *what*."""
        if self.allows(who, what):
            return
        qualified = f"{what.resource}.{what.group}" if what.group else what.resource
        scope = f'in the namespace "{what.namespace}"' if what.namespace else "at the cluster scope"
        target = f'{qualified} "{what.name}"' if what.name else qualified
        denial = f'User "{who.user}" cannot {what.verb} resource "{what.resource}" in API group "{what.group}" {scope}'
        message = f"{target} is forbidden: {denial}"
        raise StatusError(403, "Forbidden", message, name=what.name, group=what.group, kind=what.resource)

    def rules(self, who: Identity, namespace: str) -> Iterator[Document]:
        """Return the rules for *who*: cluster-wide and, if it is not empty, in *namespace*."""
        yield from _REVIEWS
        if MASTERS in who.groups:
            yield _EVERYTHING
        for binding in self._store.all(CLUSTER_ROLE_BINDING):
            yield from self._bound_rules(binding, who)
        if namespace:
            for binding in self._store.all(ROLE_BINDING, namespace):
                yield from self._bound_rules(binding, who)

    def _bound_rules(self, binding: Document, who: Identity) -> Iterator[Document]:
        if any(_matches(subject, who) for subject in binding.get("subjects") or ()):
            reference = binding["roleRef"]
            kind = ROLE if reference["kind"] == "Role" else CLUSTER_ROLE
            namespace = binding["metadata"]["namespace"] if kind is ROLE else ""
            role = self._store.find(kind, namespace, reference["name"])
            yield from (role or {}).get("rules") or ()


def default_roles() -> list[Document]:
    """Return the cluster-admin role, which every cluster has."""
    metadata = {"name": "cluster-admin"}
    return [{"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": metadata, "rules": [_EVERYTHING]}]


def _matches(subject: Document, who: Identity) -> bool:
    if subject["kind"] == "User":
        return bool(subject["name"] == who.user)
    return subject["kind"] == "Group" and subject["name"] in who.all_groups


def _covers(rule: Document, what: AccessAttributes) -> bool:
    names = rule.get("resourceNames")
    return (
        _contains(rule, "verbs", what.verb)
        and _contains(rule, "apiGroups", what.group)
        and _contains(rule, "resources", what.resource)
        and (not names or what.name in names)
    )


def _contains(rule: Document, field: str, value: str) -> bool:
    listed = rule.get(field) or ()
    return value in listed or "*" in listed
