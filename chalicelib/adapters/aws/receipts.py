"""Receipts in the deployment's bucket.

A Receipt is stored twice: under the date, name and uid of its Job, where it is never replaced, and under the name
alone, where the Receipt of a later Job with this name replaces it.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from chalicelib.adapters.aws.bucket import ObjectChangedError
from chalicelib.domain.errors import StorageUnavailable
from chalicelib.domain.failure_reasons import FailureReason, note_reason
from chalicelib.domain.finished.receipt import Receipt, latest_key, object_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.adapters.aws.bucket import Bucket, StoredObject
    from chalicelib.domain.names import JobName, ProjectName

MAX_RECEIPT = 2**20
ATTEMPTS = 3
"""Attempts to write a Receipt when concurrent writers replace it."""


class S3Receipts:
    """Implements the ports Receipts and StoredReceipts."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def store(self, receipt: Receipt) -> None:
        """Store *receipt*, unless the one of its Job exists, and as the latest of its name, unless a later one does."""
        body = msgspec.json.encode(receipt)
        if len(body) > MAX_RECEIPT:
            # Only the specification of a Job created with kubectl is that large; the rest of the Receipt is not.
            body = msgspec.json.encode(msgspec.structs.replace(receipt, spec=None, submission=None))
        self._write(object_key(receipt), body, lambda _: True)
        self._write(latest_key(receipt.project, receipt.name), body, lambda stored: not _is_older(stored, receipt))

    def find(self, project: ProjectName, name: JobName) -> Receipt | None:
        """Return the latest Receipt of a Job with this name, or None."""
        stored = self._bucket.find(latest_key(project, name), MAX_RECEIPT)
        return _decode(stored) if stored else None

    def _write(self, key: str, body: bytes, keeps: Callable[[StoredObject], bool]) -> None:
        """Write *body* unless the stored object is to be kept; read it again if it changed in between."""
        for _ in range(ATTEMPTS):
            stored = self._bucket.find(key, MAX_RECEIPT)
            if stored and keeps(stored):
                return
            with contextlib.suppress(ObjectChangedError):
                self._bucket.put(key, body, replacing=stored)
                return
        error = StorageUnavailable("Concurrent writers kept replacing this Receipt. Try again later.")
        raise note_reason(error, FailureReason.CONFLICT, "s3")


def _is_older(stored: StoredObject, receipt: Receipt) -> bool:
    """Return whether *receipt* is for a later Job than the *stored* Receipt, or that one is unreadable."""
    previous = _decode(stored)
    return previous is None or (previous.id != receipt.id and previous.created_at <= receipt.created_at)


def _decode(stored: StoredObject) -> Receipt | None:
    try:
        return msgspec.json.decode(stored.body, type=Receipt)
    except (ValueError, RecursionError):
        return None
