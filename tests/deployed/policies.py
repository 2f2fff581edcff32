"""Whether a statement of a policy allows what is asked.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Asked(NamedTuple):
    """A request in IAM's words; *context* has the values of the condition keys that it brings."""

    action: str
    resource: str
    context: Mapping[str, frozenset[str]]


def covers(statement: Mapping[str, Any], asked: Asked) -> bool:
    """Whether *statement* allows it. Of conditions only StringEquals is known; any other one allows nothing."""
    actions, resources = statement["Action"], statement["Resource"]
    return (
        statement["Effect"] == "Allow"
        and _holds(statement.get("Condition", {}), asked.context)
        and any(fnmatch.fnmatchcase(asked.action, one) for one in _listed(actions))
        and any(fnmatch.fnmatchcase(asked.resource, one.replace("[", "[[]")) for one in _listed(resources))
    )


def _holds(condition: Mapping[str, Any], context: Mapping[str, frozenset[str]]) -> bool:
    wanted = condition.get("StringEquals", {})
    return condition.keys() <= {"StringEquals"} and all(
        context.get(key) and context[key] <= {*_listed(values)} for key, values in wanted.items()
    )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
