"""AssumeRole's one rule that matters here: who does not know the role's external id does not get the role.

moto gives credentials for every role to everybody, also for roles that do not exist.
https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from infra.local.presigned_sts import StsRefusal

if TYPE_CHECKING:
    from collections.abc import Callable

_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=\S+/[0-9]{8}/[a-z0-9-]+/sts/aws4_request, ?SignedHeaders=[a-z0-9;-]+, ?"
    r"Signature=[0-9a-f]{64}"
)


def trust_policy(account: str, external_id: str) -> str:
    """The policy of a role that *account* may assume with *external_id* only."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def check_assume_role(query: str, body: str, authorization: str | None, policy_of: Callable[[str], str | None]) -> None:
    """Raises StsRefusal if the request assumes a role and may not; *policy_of* tells a role's trust policy."""
    pairs = parse_qsl(query) + parse_qsl(body)
    actions = {value for name, value in pairs if name == "Action"}
    if not any(action.startswith("AssumeRole") for action in actions):
        return
    given = dict(pairs)
    if actions != {"AssumeRole"} or len(given) != len(pairs):
        raise _denied(given)  # by SAML or a web identity, which nobody here can vouch for
    if authorization is None or not _SIGNED.fullmatch(authorization):
        raise StsRefusal("MissingAuthenticationToken", "Request is missing Authentication Token")
    policy = policy_of(given.get("RoleArn", ""))
    if policy is None or not _admits(json.loads(policy), given.get("ExternalId")):
        raise _denied(given)


def _denied(given: dict[str, str]) -> StsRefusal:
    # STS answers a role that does not exist and one that does not trust us alike.
    resource = given.get("RoleArn", "*")
    return StsRefusal("AccessDenied", f"Not authorized to perform: sts:AssumeRole on resource: {resource}")


def _admits(policy: dict[str, Any], external_id: str | None) -> bool:
    return any(_statement_admits(statement, external_id) for statement in policy.get("Statement", []))


def _statement_admits(statement: dict[str, Any], external_id: str | None) -> bool:
    if statement.get("Effect") != "Allow" or statement.get("Action") != "sts:AssumeRole":
        return False
    required = statement.get("Condition", {}).get("StringEquals", {}).get("sts:ExternalId")
    return required is None or required == external_id
