"""`python -m infra.commands.application --stack S --name N --groups G ...`: create an Application in the user pool.

A group is a scope of the pool's resource server. Cognito replaces all scopes of a resource server at once, so the
command reads them, adds those that are missing, and reads them again: another run at the same time may have replaced
them. It prints what the owner of the Application needs, as assignments for a shell; the secret is shown only here.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Sequence

RESOURCE_SERVER = "researcher"
MAX_SCOPES, MAX_SCOPES_OF_APPLICATION = 100, 50
"""Quotas of Cognito: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html"""
ATTEMPTS = 5
GROUP = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


class ApplicationError(Exception):
    """The Application cannot be created; the text says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Create the Application, and print its client ID and secret, the token URL and the base URL."""
    parser = argparse.ArgumentParser(prog="python -m infra.commands.application", description=__doc__)
    parser.add_argument("--stack", required=True, help="the stack of the API, with a user pool of its own")
    parser.add_argument("--name", required=True, help="the name of the Application")
    parser.add_argument("--groups", required=True, nargs="+", help="the groups in its tokens, as in the Projects")
    options = parser.parse_args(arguments)
    try:
        outputs = stack_outputs(options.stack)
        created = create_application(boto3.client("cognito-idp"), outputs["UserPoolId"], options.name, options.groups)
    except ApplicationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    urls = {"TOKEN_URL": outputs["TokenUrl"], "BASE_URL": outputs["BaseUrl"]}
    for name, value in (created | urls).items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    return 0


def stack_outputs(name: str) -> dict[str, str]:
    """Return the outputs of the stack; raise ApplicationError if it has no user pool."""
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    if "UserPoolId" not in outputs:
        raise ApplicationError(f"The stack {name} has no user pool: create the Application at its token issuer.")
    return outputs


def create_application(cognito: Any, pool: str, name: str, groups: Sequence[str]) -> dict[str, str]:  # noqa: ANN401 - boto3 creates its clients at run time
    """Create an Application whose tokens have *groups*, and return its client ID and secret."""
    if invalid := [group for group in groups if not GROUP.fullmatch(group)]:
        raise ApplicationError(f"{', '.join(invalid)}: a group has lower-case letters, digits and hyphens.")
    if len({*groups}) > MAX_SCOPES_OF_APPLICATION:
        raise ApplicationError(f"An Application must have at most {MAX_SCOPES_OF_APPLICATION} groups.")
    _add_scopes(cognito, pool, groups)
    client = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName=name,
        GenerateSecret=True,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthScopes=[f"{RESOURCE_SERVER}/{group}" for group in sorted({*groups})],
        AccessTokenValidity=60,
        TokenValidityUnits={"AccessToken": "minutes"},
    )["UserPoolClient"]
    return {"CLIENT_ID": client["ClientId"], "CLIENT_SECRET": client["ClientSecret"]}


def _add_scopes(cognito: Any, pool: str, groups: Sequence[str]) -> None:  # noqa: ANN401 - as above
    server = {"UserPoolId": pool, "Identifier": RESOURCE_SERVER}
    for _ in range(ATTEMPTS):
        try:
            found = cognito.describe_resource_server(**server)["ResourceServer"]
        except cognito.exceptions.ResourceNotFoundException:
            cognito.create_resource_server(**server, Name="Groups of the Researcher REST API")
            continue
        scopes = found.get("Scopes", [])
        missing = sorted({*groups} - {scope["ScopeName"] for scope in scopes})
        if not missing:
            return
        if len(scopes) + len(missing) > MAX_SCOPES:
            raise ApplicationError(f"The user pool has {len(scopes)} groups; Cognito allows {MAX_SCOPES}.")
        added = [{"ScopeName": group, "ScopeDescription": f"The group {group}"} for group in missing]
        cognito.update_resource_server(**server, Name=found["Name"], Scopes=[*scopes, *added])
    raise ApplicationError("The groups are being changed by others. Run the command again.")


if __name__ == "__main__":
    sys.exit(main())
