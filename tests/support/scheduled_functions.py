"""The scheduled functions, invoked by a test, and their output: Receipts and events."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, Self

import boto3

from infra.local.local_stack import BUCKET

if TYPE_CHECKING:
    from infra.local.local_stack import Stack


class Scheduled:
    """The scheduled functions of *stack*, its bucket, and the queue that a rule of its event bus fills."""

    def __init__(self, stack: Stack[Any]) -> None:
        self._open = ExitStack()
        self._lambda, self._s3, self._sqs = (
            self._open.enter_context(closing(boto3.client(service, **stack.aws.connection)))
            for service in ("lambda", "s3", "sqs")
        )
        self._queue = stack.finished_url

    def __enter__(self) -> Self:
        """Return the object itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._open.close()

    def run(self, function: str, document: object) -> dict[str, Any]:
        """Invoke *function* with *document* and return its result."""
        response = self._lambda.invoke(FunctionName=function, Payload=json.dumps(document).encode())
        result: dict[str, Any] = json.loads(response["Payload"].read())
        return result

    def announce(self) -> dict[str, Any]:
        """Run `announce` once and return its report."""
        return self.run("announce", {})

    def clean_up(self, *, dry_run: bool = False) -> dict[str, Any]:
        """Run `cleanup` once and return its report, whose counts must add up to the scanned Jobs."""
        report = self.run("cleanup", {"dryRun": dry_run})
        uncounted = report["scanned"] - report["deleted"] - report["failed"] - sum(report["skipped"].values())
        assert uncounted == 0, report
        return report

    def receive_events(self, name: str) -> list[dict[str, Any]]:
        """Return the new events about Jobs whose names start with *name*; other events are dropped."""
        found = []
        while messages := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
        return [event for event in found if event["detail"]["name"].startswith(name)]

    def receipts(self, name: str) -> list[tuple[str, dict[str, Any]]]:
        """Return the keys and documents of the Receipts of team-a's Jobs whose names start with *name*."""
        listed = self._s3.list_objects_v2(Bucket=BUCKET, Prefix="receipts/team-a/").get("Contents", [])
        keys = sorted(item["Key"] for item in listed if f"/{name}" in item["Key"])
        return [(key, json.loads(self._s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())) for key in keys]
