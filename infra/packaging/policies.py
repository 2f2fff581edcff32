"""The IAM policies of the functions' roles, from the statements in .chalice/policies.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from infra.packaging.cloudformation_yaml import JsonObject, load_cloudformation

POLICIES = Path(__file__).parents[2] / ".chalice" / "policies.yaml"


def role_policy(function: str, log_group: str) -> JsonObject:
    """Return the policy for the role of *function*; *log_group* is the logical ID of its log group."""
    policies = _load()
    names = policies["functions"].get(function, policies["default"])
    statements = [_statement(name, policies["statements"][name], log_group) for name in names]
    return {"Version": "2012-10-17", "Statement": statements}


def _statement(name: str, statement: JsonObject, log_group: str) -> JsonObject:
    """Return *statement* with its name as Sid, also if it is inside of an `Fn::If`."""
    if "Fn::If" in statement:
        condition, body, alternative = statement["Fn::If"]
        return {"Fn::If": [condition, _statement(name, body, log_group), alternative]}
    own = statement["Resource"] == {"Fn::GetAtt": ["OwnLogGroup", "Arn"]}
    return {"Sid": name, **statement} | ({"Resource": {"Fn::GetAtt": [log_group, "Arn"]}} if own else {})


@cache
def _load() -> JsonObject:
    return load_cloudformation(POLICIES)
