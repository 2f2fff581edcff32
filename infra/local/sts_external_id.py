"""Enforces the ExternalId condition of a role's trust policy in AssumeRole, which moto ignores.

moto returns credentials for any role to any caller, even for roles that do not exist.
https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from infra.local.presigned_sts import StsError

if TYPE_CHECKING:
    from collections.abc import Callable

_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=\S+/[0-9]{8}/[a-z0-9-]+/sts/aws4_request, ?SignedHeaders=[a-z0-9;-]+, ?"
    r"Signature=[0-9a-f]{64}"
)


def trust_policy(account: str, external_id: str) -> str:
    """Return the trust policy of a role that *account* may assume only with *external_id*."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def check_assume_role(query: str, body: str, authorization: str | None, policy_of: Callable[[str], str | None]) -> None:
    """Raise StsError if the request assumes a role without permission; *policy_of* returns a role's trust policy."""
    pairs = parse_qsl(query) + parse_qsl(body)
    actions = {value for name, value in pairs if name == "Action"}
    if not any(action.startswith("AssumeRole") for action in actions):
        return
    parameters = dict(pairs)
    if actions != {"AssumeRole"} or len(parameters) != len(pairs):
        raise _access_denied(parameters)  # SAML and web identities are not supported
    if authorization is None or not _SIGNED.fullmatch(authorization):
        raise StsError("MissingAuthenticationToken", "Request is missing Authentication Token")
    policy = policy_of(parameters.get("RoleArn", ""))
    if policy is None or not _allows(json.loads(policy), parameters.get("ExternalId")):
        raise _access_denied(parameters)


def _access_denied(parameters: dict[str, str]) -> StsError:
    # STS returns the same error for a role that does not exist and for one that does not trust the caller.
    resource = parameters.get("RoleArn", "*")
    return StsError("AccessDenied", f"Not authorized to perform: sts:AssumeRole on resource: {resource}")


def _allows(policy: dict[str, Any], external_id: str | None) -> bool:
    return any(_statement_allows(statement, external_id) for statement in policy.get("Statement", []))


def _statement_allows(statement: dict[str, Any], external_id: str | None) -> bool:
    if statement.get("Effect") != "Allow" or statement.get("Action") != "sts:AssumeRole":
        return False
    required = statement.get("Condition", {}).get("StringEquals", {}).get("sts:ExternalId")
    return required is None or required == external_id
