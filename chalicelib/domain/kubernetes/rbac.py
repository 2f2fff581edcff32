"""What somebody may do, as the cluster lists it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
"""What Kubernetes knows to be done with Jobs."""


class PolicyRule(msgspec.Struct, rename="camel"):
    """Verbs on kinds of objects; on named ones alone where there are names."""

    verbs: list[str] = []
    api_groups: list[str] = []
    resources: list[str] = []
    resource_names: list[str] = []


def verbs_on_jobs(rules: Iterable[PolicyRule]) -> list[str]:
    """The verbs that *rules* allow on every Job, in their order."""
    allowed = {
        verb
        for rule in rules
        if not rule.resource_names
        and not {"batch", "*"}.isdisjoint(rule.api_groups)
        and not {"jobs", "*"}.isdisjoint(rule.resources)
        for verb in rule.verbs
    }
    return [verb for verb in VERBS if verb in allowed or "*" in allowed]
