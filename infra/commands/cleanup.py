"""`python -m infra.commands.cleanup [--dry-run]`: run the cleanup of `make run` or of a deployed API."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.local.dev_server import SESSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    Json = dict[str, Any]

LOCAL = "cleanup"
SECONDS = 900
"""As long as the function may run; botocore would hang up after 60, and try again."""


def main(arguments: Sequence[str] | None = None, session: Path = SESSION) -> int:
    """Prints the report; 1 when there is none."""
    parser = argparse.ArgumentParser(prog="python -m infra.commands.cleanup", description=__doc__)
    parser.add_argument("--function", default=LOCAL, help="the deployed function, output CleanupFunction of the stack")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--dry-run", action="store_const", const=True, help="only tell what would be deleted")
    only.add_argument("--delete", dest="dry_run", action="store_const", const=False, help="whatever the settings say")
    given = parser.parse_args(arguments)
    document = {} if given.dry_run is None else {"dryRun": given.dry_run}
    try:
        report = _invoke(given.function, document, _connection(given.function, session))
    except (BotoCoreError, ClientError, FunctionFailedError) as error:
        sys.stderr.write(f"The cleanup did not run: {error}\nIs `make run` running in this folder?\n")
        return 1
    sys.stdout.writelines(f"{line}\n" for line in report_lines(report))
    return 0


class FunctionFailedError(Exception):
    """The function raised instead of reporting; its text is what Lambda says of it."""


def report_lines(report: Json) -> Iterator[str]:
    """The lines that say to a person what *report* says."""
    yield (
        f"{'DRY RUN: ' if report['dryRun'] else ''}{report['scanned']} Jobs looked at in {report['seconds']:.1f} s, "
        f"{report['eligible']} past their retention, {report['deleted']} deleted, {report['failed']} failed."
    )
    if report["truncated"]:
        yield "It ran out of time; the next run goes on."
    for reason, count in sorted(report["skipped"].items()):
        yield f"  {count:6} left: {reason}"
    verb = "would delete" if report["dryRun"] else "deleted"
    for job in report["jobs"]:
        yield f"  {verb} {job['project']}/{job['name']}"
    for failure in report["failures"]:
        yield f"  failed {failure['project']}/{failure['name'] or '*'}: {failure['code']}"
    for job in report["pendingJobs"]:
        reason = job["reason"] or "nobody knows why"
        yield f"  pending for {job['seconds']} s: {job['project']}/{job['name']} ({reason})"


def _connection(function: str, session: Path) -> Json:
    """Where the session of `make run` says AWS is; of a deployed function, what AWS' own configuration says."""
    if function != LOCAL or not session.exists():
        return {}
    lines = session.read_text(encoding="utf-8").splitlines()
    found = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    return {
        "endpoint_url": found["AWS_ENDPOINT_URL"],
        "region_name": found["AWS_DEFAULT_REGION"],
        "aws_access_key_id": found["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": found["AWS_SECRET_ACCESS_KEY"],
    }


def _invoke(function: str, document: Json, connection: Json) -> Json:
    config = Config(read_timeout=SECONDS + 10, retries={"total_max_attempts": 1})
    client: Any = boto3.client("lambda", config=config, **connection)
    try:
        answer = client.invoke(FunctionName=function, Payload=json.dumps(document).encode())
        returned: Json = json.loads(answer["Payload"].read())
    finally:
        client.close()
    if "FunctionError" in answer:
        raise FunctionFailedError(returned.get("errorMessage"))
    return returned


if __name__ == "__main__":
    sys.exit(main())
