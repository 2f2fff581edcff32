"""Uploads in tests: objects are put into the bucket, and the test itself sends their events to the function."""

from __future__ import annotations

import itertools
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import boto3

import app
from infra.local.lambda_proxy import LambdaContext
from infra.local.local_stack import BUCKET
from tests.support.builders import record

if TYPE_CHECKING:
    from infra.local.local_stack import Stack

    Record = dict[str, Any]

SECONDS = 60.0
"""The time limit of an invocation."""


class Uploads:
    """The bucket of *stack*; while this is in use, the bucket sends no event notifications by itself."""

    def __init__(self, stack: Stack[Any]) -> None:
        self._s3 = boto3.client("s3", **stack.aws.connection)
        self._s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})
        self._sequence = itertools.count(2**60)
        self._lock = threading.Lock()

    def put(self, key: str, body: bytes, **fields: Any) -> Record:  # noqa: ANN401 - any field of a record
        """Put an object, and return the record of its S3 event, changed by *fields*."""
        with self._lock:
            stored = self._s3.put_object(Bucket=BUCKET, Key=key, Body=body)
            sequencer = f"{next(self._sequence):018X}"
        described = {"version": stored["VersionId"], "etag": stored["ETag"].strip('"'), "size": len(body)}
        return record(key, **{**described, "sequencer": sequencer, **fields})

    def delete(self, key: str, version: str | None = None) -> None:
        """Delete the object, or one version of it."""
        self._s3.delete_object(Bucket=BUCKET, Key=key, **({"VersionId": version} if version else {}))

    def keys(self, prefix: str = "status/") -> set[str]:
        """Return the keys that begin with *prefix*."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return {item["Key"] for page in pages for item in page.get("Contents", [])}

    def read(self, key: str) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON of the object at *key*."""
        return json.loads(self._s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def statuses(self) -> dict[str, Any]:
        """Return all upload statuses by key."""
        return self.read_all("status/")

    def read_all(self, prefix: str) -> dict[str, Any]:
        """Return the JSON of every object whose key begins with *prefix*, by key."""
        return {key: self.read(key) for key in self.keys(prefix)}


def handle_records(*records: object) -> Any:  # noqa: ANN401 - JSON
    """Invoke the function with an event of *records* and return its result; it raises where Lambda would retry."""
    return invoke({"Records": list(records)})


def invoke(event: object) -> Any:  # noqa: ANN401 - JSON
    """Invoke the function with *event* and return its result."""
    ends = time.monotonic() + SECONDS
    context = LambdaContext("submit_upload", "invocation-1", lambda: ends - time.monotonic())
    return app.app.handler_map["submit_upload"](event, context)
