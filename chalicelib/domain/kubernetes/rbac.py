"""RBAC rules, as a SelfSubjectRulesReview returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
"""The verbs of the Kubernetes API for Jobs."""


class PolicyRule(msgspec.Struct, rename="camel"):
    """Verbs that are allowed on resources, limited to `resourceNames` if that is not empty."""

    verbs: list[str] = []
    api_groups: list[str] = []
    resources: list[str] = []
    resource_names: list[str] = []


def verbs_on_jobs(rules: Iterable[PolicyRule]) -> list[str]:
    """Return the verbs that *rules* allow on all Jobs of the namespace, in the order of VERBS."""
    allowed = {
        verb
        for rule in rules
        if not rule.resource_names
        and not {"batch", "*"}.isdisjoint(rule.api_groups)
        and not {"jobs", "*"}.isdisjoint(rule.resources)
        for verb in rule.verbs
    }
    return [verb for verb in VERBS if verb in allowed or "*" in allowed]
