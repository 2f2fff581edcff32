"""`python -m infra.commands.prune_versions --stack S`: delete old versions of the functions.

Each deployment publishes a version of each function, and CloudFormation keeps the earlier ones for a rollback. They
count in the code storage of the account and, with SnapStart, each is billed. The newest versions of each function stay,
and so does every version that an alias names. Without --delete it only lists what it would delete.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LATEST = "$LATEST"
KEEP = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Delete old versions of the functions of the stack, or list them."""
    parser = argparse.ArgumentParser(prog="python -m infra.commands.prune_versions", description=__doc__)
    parser.add_argument("--stack", required=True, help="the stack of the API")
    parser.add_argument("--keep", type=int, default=KEEP, help=f"newest versions that stay, at least 1; default {KEEP}")
    parser.add_argument("--delete", action="store_true", help="delete the versions, and do not only list them")
    options = parser.parse_args(arguments)
    if options.keep < 1:
        parser.error("--keep must be at least 1")
    client = boto3.client("lambda")
    for function in _functions(options.stack):
        for version in old_versions(client, function, options.keep):
            if options.delete:
                client.delete_function(FunctionName=function, Qualifier=version)
            sys.stdout.write(f"{'Deleted' if options.delete else 'Would delete'} {function}:{version}\n")
    return 0


def old_versions(client: Any, function: str, keep: int) -> list[str]:  # noqa: ANN401 - boto3 creates its clients at run time
    """Return the versions of *function* except the newest *keep* and those that an alias may invoke."""
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    numbers = sorted(int(each["Version"]) for page in pages for each in page["Versions"] if each["Version"] != LATEST)
    named: set[str] = set()
    for page in client.get_paginator("list_aliases").paginate(FunctionName=function):
        for alias in page["Aliases"]:
            weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
            named |= {alias["FunctionVersion"], *weights}
    return [str(number) for number in numbers[:-keep] if str(number) not in named]


def _functions(stack: str) -> Iterator[str]:
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    for page in pages:
        for resource in page["StackResourceSummaries"]:
            if resource["ResourceType"] == "AWS::Lambda::Function":
                yield resource["PhysicalResourceId"]


if __name__ == "__main__":
    sys.exit(main())
