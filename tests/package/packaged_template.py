"""Queries of a packaged template."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

import app
from infra.packaging.chalice_graph import endpoints, functions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json = dict[str, Any]

ENDPOINTS = endpoints(app.app)
NAMES = list(ENDPOINTS)
"""The functions that handle requests."""
FUNCTIONS = functions(app.app)
EVENTS = FUNCTIONS[len(NAMES) :]
"""The functions that handle events of S3 or of a schedule."""


def logical(name: str) -> str:
    """Return the logical name of a function's resource."""
    return "".join(part.capitalize() for part in name.split("_"))


def of_type(packaged: Json, kind: str) -> dict[str, Json]:
    """Return the properties of all resources of one type by logical name."""
    resources = packaged["Resources"].items()
    return {name: resource["Properties"] for name, resource in resources if resource["Type"] == kind}


def function(packaged: Json, name: str) -> Json:
    """Return the properties of one function."""
    properties: Json = packaged["Resources"][logical(name)]["Properties"]
    return properties


def statements(packaged: Json, name: str) -> list[Json]:
    """Return the statements of the function's own role, with the conditional ones for a VPC."""
    role = packaged["Resources"][function(packaged, name)["Role"]["Fn::GetAtt"][0]]["Properties"]
    assert "ManagedPolicyArns" not in role
    found = [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]
    return [each["Fn::If"][1] if "Fn::If" in each else each for each in found]


def grants(packaged: Json, name: str) -> Iterator[tuple[str, object]]:
    """Yield action and resource of every permission of the function."""
    for statement in (each for each in statements(packaged, name) if each["Effect"] == "Allow"):
        actions, resource = statement["Action"], statement["Resource"]
        yield from ((action, resource) for action in ([actions] if isinstance(actions, str) else actions))


def environment(packaged: Json, name: str) -> Mapping[str, Any]:
    """Return the function's environment variables, merged as CloudFormation merges them."""
    shared: Json = packaged["Globals"]["Function"]["Environment"]["Variables"]
    own: Json = function(packaged, name).get("Environment", {}).get("Variables", {})
    return shared | own


def transform(packaged: Json) -> Json:
    """Return the template after the upload of the zip and the SAM transform."""
    uploaded = copy.deepcopy(packaged)
    for properties in of_type(uploaded, "AWS::Serverless::Function").values():
        properties["CodeUri"] = "s3://bucket/functions.zip"
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="eu-west-1"))
    translated: Json = translator.translate(uploaded, parameter_values={})
    return translated
