"""Finds things in a packaged template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import app
from infra.packaging.chalice_graph import endpoints, functions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json = dict[str, Any]

ENDPOINTS = endpoints(app.app)
NAMES = list(ENDPOINTS)
"""The functions that answer requests."""
FUNCTIONS = functions(app.app)
EVENTS = FUNCTIONS[len(NAMES) :]
"""The functions that get events: of S3, of a schedule."""


def logical(name: str) -> str:
    """The name of a function's resource in the template."""
    return "".join(part.capitalize() for part in name.split("_"))


def of_type(packaged: Json, kind: str) -> dict[str, Json]:
    """The properties of all resources of one type, by logical name."""
    found = packaged["Resources"].items()
    return {name: resource["Properties"] for name, resource in found if resource["Type"] == kind}


def function(packaged: Json, name: str) -> Json:
    """The properties of one function."""
    found: Json = packaged["Resources"][logical(name)]["Properties"]
    return found


def statements(packaged: Json, name: str) -> list[Json]:
    """What the function's own role grants, in a VPC or not."""
    role = packaged["Resources"][function(packaged, name)["Role"]["Fn::GetAtt"][0]]["Properties"]
    assert "ManagedPolicyArns" not in role
    found = [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]
    return [one["Fn::If"][1] if "Fn::If" in one else one for one in found]


def grants(packaged: Json, name: str) -> Iterator[tuple[str, object]]:
    """Action and resource of everything that the function may do."""
    for statement in statements(packaged, name):
        assert statement["Effect"] == "Allow"
        actions, resource = statement["Action"], statement["Resource"]
        yield from ((action, resource) for action in ([actions] if isinstance(actions, str) else actions))


def environment(packaged: Json, name: str) -> Mapping[str, Any]:
    """The function's variables, as CloudFormation merges them."""
    shared: Json = packaged["Globals"]["Function"]["Environment"]["Variables"]
    own: Json = function(packaged, name).get("Environment", {}).get("Variables", {})
    return shared | own
