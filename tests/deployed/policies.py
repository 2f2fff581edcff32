"""Evaluation of one statement of an IAM policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class AccessRequest(NamedTuple):
    """Action and resource of a request; *context* has the values of its condition keys."""

    action: str
    resource: str
    context: Mapping[str, frozenset[str]]


def covers(statement: Mapping[str, Any], requested: AccessRequest) -> bool:
    """Return whether *statement* allows the request.

    The only supported condition is StringEquals; others allow nothing.
    """
    actions, resources = statement["Action"], statement["Resource"]
    return (
        statement["Effect"] == "Allow"
        and _condition_holds(statement.get("Condition", {}), requested.context)
        and any(fnmatch.fnmatchcase(requested.action, pattern) for pattern in _as_list(actions))
        and any(fnmatch.fnmatchcase(requested.resource, pattern.replace("[", "[[]")) for pattern in _as_list(resources))
    )


def _condition_holds(condition: Mapping[str, Any], context: Mapping[str, frozenset[str]]) -> bool:
    expected = condition.get("StringEquals", {})
    return condition.keys() <= {"StringEquals"} and all(
        context.get(key) and context[key] <= {*_as_list(values)} for key, values in expected.items()
    )


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
