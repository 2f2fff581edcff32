"""SelfSubjectAccessReview, SelfSubjectRulesReview and SelfSubjectReview."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.localcluster.rbac import AccessAttributes
from infra.localcluster.status_errors import no_such_path

if TYPE_CHECKING:
    from infra.localcluster.identity import Identity
    from infra.localcluster.kinds import Document
    from infra.localcluster.rbac import Rbac

GROUPS = ("authentication.k8s.io", "authorization.k8s.io")
"""The API groups of the reviews, which every authenticated user may create."""


def review(plural: str, review: Document, who: Identity, rbac: Rbac) -> Document:
    """Return the *review* with its result for *who*; raise StatusError 404 for another kind of review."""
    spec = review.get("spec") or {}
    if plural == "selfsubjectaccessreviews":
        return {
            **review,
            "status": {"allowed": rbac.allows(who, _access_attributes(spec.get("resourceAttributes") or {}))},
        }
    if plural == "selfsubjectrulesreviews":
        rules = list(rbac.rules(who, spec.get("namespace") or ""))
        return {**review, "status": {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}}
    if plural == "selfsubjectreviews":
        return {**review, "status": {"userInfo": {"username": who.user, "groups": sorted(who.all_groups)}}}
    raise no_such_path()


def _access_attributes(resource_attributes: Document) -> AccessAttributes:
    fields = {name: resource_attributes.get(name, "") for name in ("verb", "group", "resource", "namespace", "name")}
    if resource_attributes.get("subresource"):
        fields["resource"] += f"/{resource_attributes['subresource']}"
    return AccessAttributes(**fields)
