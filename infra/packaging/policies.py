"""The IAM policies of the functions' roles, rendered from the statements in .chalice/policies.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from infra.packaging.cloudformation_yaml import JsonObject, load_cloudformation

POLICIES = Path(__file__).parents[2] / ".chalice" / "policies.yaml"


def role_policy(function: str, log_group: str) -> JsonObject:
    """Return the policy of the role of *function*; *log_group* is the logical ID of its own log group."""
    written = _render()
    names = written["functions"].get(function, written["default"])
    statements = [_statement(name, written["statements"][name], log_group) for name in names]
    return {"Version": "2012-10-17", "Statement": statements}


def _statement(name: str, statement: JsonObject, log_group: str) -> JsonObject:
    """Return *statement* with its name as Sid; one that has a condition of the stack has it in the first branch."""
    if "Fn::If" in statement:
        condition, body, otherwise = statement["Fn::If"]
        return {"Fn::If": [condition, _statement(name, body, log_group), otherwise]}
    own = statement["Resource"] == {"Fn::GetAtt": ["OwnLogGroup", "Arn"]}
    return {"Sid": name, **statement} | ({"Resource": {"Fn::GetAtt": [log_group, "Arn"]}} if own else {})


@cache
def _render() -> JsonObject:
    return load_cloudformation(POLICIES)
