"""`python -m infra.commands.cleanup [--dry-run]`: run the cleanup of `make run` or of a deployed API."""

from __future__ import annotations

import argparse
import json
import socket
import sys
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.local.session_file import SESSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    Json = dict[str, Any]

LOCAL = "cleanup"
TIMEOUT_SECONDS = 900
"""The timeout of the function; botocore's default read timeout is 60 seconds, after which it would retry."""

KEEP_ALIVE_SECONDS = 60
"""NAT gateways and load balancers close a connection that was idle for 350 seconds; the function works for longer."""


def main(arguments: Sequence[str] | None = None, session: Path = SESSION) -> int:
    """Print the report; return 1 if the function failed."""
    parser = argparse.ArgumentParser(prog="python -m infra.commands.cleanup", description=__doc__)
    parser.add_argument(
        "--function", default=LOCAL, help="name of the deployed function: the stack's output CleanupFunction"
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--dry-run", action="store_const", const=True, help="report what would be deleted, and delete nothing"
    )
    mode.add_argument(
        "--delete", dest="dry_run", action="store_const", const=False, help="delete, even if the settings say dry run"
    )
    options = parser.parse_args(arguments)
    document = {} if options.dry_run is None else {"dryRun": options.dry_run}
    try:
        report = _invoke(options.function, document, _connection(options.function, session))
    except (BotoCoreError, ClientError, FunctionFailedError) as error:
        sys.stderr.write(f"The cleanup failed: {error}\nCheck that `make run` is running in this folder.\n")
        return 1
    sys.stdout.writelines(f"{line}\n" for line in report_lines(report))
    return 0


class FunctionFailedError(Exception):
    """The function raised an exception; the text is Lambda's error message."""


def report_lines(report: Json) -> Iterator[str]:
    """Yield the lines of *report* for people."""
    yield (
        f"{'DRY RUN: ' if report['dryRun'] else ''}{report['scanned']} Jobs checked in {report['seconds']:.1f} s, "
        f"{report['eligible']} past their retention, {report['deleted']} deleted, {report['failed']} failed."
    )
    if report["truncated"]:
        yield "The run was stopped at its time limit; the next run continues."
    for reason, count in sorted(report["skipped"].items()):
        yield f"  {count:6} skipped: {reason}"
    verb = "would delete" if report["dryRun"] else "deleted"
    for job in report["jobs"]:
        yield f"  {verb} {job['project']}/{job['name']}"
    for failure in report["failures"]:
        yield f"  failed {failure['project']}/{failure['name'] or '*'}: {failure['code']}"
    for job in report["pendingJobs"]:
        reason = job["reason"] or "unknown reason"
        yield f"  pending for {job['seconds']} s: {job['project']}/{job['name']} ({reason})"


def _connection(function: str, session: Path) -> Json:
    """Return the client options for `make run` from its session file; none for a deployed function."""
    if function != LOCAL or not session.exists():
        return {}
    lines = session.read_text(encoding="utf-8").splitlines()
    variables = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    return {
        "endpoint_url": variables["AWS_ENDPOINT_URL"],
        "region_name": variables["AWS_DEFAULT_REGION"],
        "aws_access_key_id": variables["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": variables["AWS_SECRET_ACCESS_KEY"],
    }


def _invoke(function: str, document: Json, connection: Json) -> Json:
    config = Config(read_timeout=TIMEOUT_SECONDS + 10, retries={"total_max_attempts": 1}, tcp_keepalive=True)
    client: Any = boto3.client("lambda", config=config, **connection)
    # botocore only turns keep-alive on, and the first probe of Linux is due after two hours.
    client._endpoint.http_session._socket_options.extend(_keep_alive())  # noqa: SLF001 - it has no option for this
    try:
        response = client.invoke(FunctionName=function, Payload=json.dumps(document).encode())
        result: Json = json.loads(response["Payload"].read())
    finally:
        client.close()
    if "FunctionError" in response:
        raise FunctionFailedError(result.get("errorMessage"))
    return result


def _keep_alive() -> list[tuple[int, int, int]]:
    """Return the socket options for a probe each KEEP_ALIVE_SECONDS; macOS has another name for the first one."""
    names = ("TCP_KEEPIDLE", "TCP_KEEPALIVE", "TCP_KEEPINTVL")
    return [(socket.IPPROTO_TCP, getattr(socket, name), KEEP_ALIVE_SECONDS) for name in names if hasattr(socket, name)]


if __name__ == "__main__":
    sys.exit(main())
