"""What one may do, asked by oneself: SelfSubjectAccessReview and SelfSubjectRulesReview."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.localcluster.rbac import AccessAttributes
from infra.localcluster.status_errors import no_such_path

if TYPE_CHECKING:
    from infra.localcluster.identity import Identity
    from infra.localcluster.kinds import Document
    from infra.localcluster.rbac import Rbac

GROUP = "authorization.k8s.io"


def review(plural: str, review: Document, who: Identity, rbac: Rbac) -> Document:
    """The *review* with its verdict on *who*; Refusal 404 for another kind of review."""
    spec = review.get("spec") or {}
    if plural == "selfsubjectaccessreviews":
        return {**review, "status": {"allowed": rbac.allows(who, _ask(spec.get("resourceAttributes") or {}))}}
    if plural == "selfsubjectrulesreviews":
        rules = list(rbac.rules(who, spec.get("namespace") or ""))
        return {**review, "status": {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}}
    raise no_such_path()


def _ask(wanted: Document) -> AccessAttributes:
    fields = {name: wanted.get(name, "") for name in ("verb", "group", "resource", "namespace", "name")}
    if wanted.get("subresource"):
        fields["resource"] += f"/{wanted['subresource']}"
    return AccessAttributes(**fields)
