"""Uploads as tests make them: objects that are put, and their events handed to the function when the test says so."""

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
"""That an invocation may take."""


class Uploads:
    """The bucket of *stack*, which tells nobody of new objects by itself as long as this is used."""

    def __init__(self, stack: Stack[Any]) -> None:
        self._s3 = boto3.client("s3", **stack.aws.connection)
        self._s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})
        self._sequence = itertools.count(2**60)
        self._lock = threading.Lock()

    def put(self, key: str, body: bytes, **fields: Any) -> Record:  # noqa: ANN401 - whatever a record may hold
        """Puts an object there; the record by which S3 would tell of it, but for *fields*."""
        with self._lock:
            told = self._s3.put_object(Bucket=BUCKET, Key=key, Body=body)
            sequencer = f"{next(self._sequence):018X}"
        known = {"version": told["VersionId"], "etag": told["ETag"].strip('"'), "size": len(body)}
        return record(key, **{**known, "sequencer": sequencer, **fields})

    def delete(self, key: str, version: str | None = None) -> None:
        """Deletes the object, or one version of it."""
        self._s3.delete_object(Bucket=BUCKET, Key=key, **({"VersionId": version} if version else {}))

    def keys(self, prefix: str = "status/") -> set[str]:
        """The keys of the objects whose keys begin with *prefix*."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return {one["Key"] for page in pages for one in page.get("Contents", [])}

    def read(self, key: str) -> Any:  # noqa: ANN401 - JSON
        """What the object at *key* says."""
        return json.loads(self._s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def statuses(self) -> dict[str, Any]:
        """What each status says, by its key."""
        return self.kept("status/")

    def kept(self, prefix: str) -> dict[str, Any]:
        """What each object says whose key begins with *prefix*, by its key."""
        return {key: self.read(key) for key in self.keys(prefix)}


def handled(*records: object) -> Any:  # noqa: ANN401 - JSON
    """What the function returns for an event of *records*; it raises where Lambda would try again."""
    return invoked({"Records": list(records)})


def invoked(event: object) -> Any:  # noqa: ANN401 - JSON
    """What the function returns for *event*."""
    ends = time.monotonic() + SECONDS
    context = LambdaContext("submit_upload", "invocation-1", lambda: ends - time.monotonic())
    return app.app.handler_map["submit_upload"](event, context)
