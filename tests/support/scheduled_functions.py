"""The scheduled functions, run when a test says so, and what they leave behind: Receipts and announcements."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, Self

import boto3

from infra.local.local_stack import BUCKET

if TYPE_CHECKING:
    from infra.local.local_stack import Stack


class Scheduled:
    """The scheduled functions of *stack*, its bucket, and the queue of a rule of its event bus."""

    def __init__(self, stack: Stack[Any]) -> None:
        self._open = ExitStack()
        self._lambda, self._s3, self._sqs = (
            self._open.enter_context(closing(boto3.client(service, **stack.aws.connection)))
            for service in ("lambda", "s3", "sqs")
        )
        self._queue = stack.finished_url

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the connections."""
        self._open.close()

    def run(self, function: str, document: object) -> dict[str, Any]:
        """What *function* returns for *document*."""
        answer = self._lambda.invoke(FunctionName=function, Payload=json.dumps(document).encode())
        returned: dict[str, Any] = json.loads(answer["Payload"].read())
        return returned

    def announce(self) -> dict[str, Any]:
        """What one run of the announcements tells."""
        return self.run("announce", {})

    def clean_up(self, *, dry_run: bool = False) -> dict[str, Any]:
        """The report of one cleanup, which accounts for each Job."""
        report = self.run("cleanup", {"dryRun": dry_run})
        left = report["scanned"] - report["deleted"] - report["failed"] - sum(report["skipped"].values())
        assert left == 0, report
        return report

    def heard(self, name: str) -> list[dict[str, Any]]:
        """The new events about Jobs whose names begin so; others are dropped."""
        found = []
        while messages := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
        return [event for event in found if event["detail"]["name"].startswith(name)]

    def receipts(self, name: str) -> list[tuple[str, dict[str, Any]]]:
        """The Receipts of Jobs of team-a whose names begin so, by their keys."""
        listed = self._s3.list_objects_v2(Bucket=BUCKET, Prefix="receipts/team-a/").get("Contents", [])
        keys = sorted(one["Key"] for one in listed if f"/{name}" in one["Key"])
        return [(key, json.loads(self._s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())) for key in keys]
