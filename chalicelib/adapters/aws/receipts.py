"""Receipts in the deployment's bucket: each once, and the newest of a name once more under that name."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from chalicelib.adapters.aws.bucket import ObjectChangedError
from chalicelib.domain.errors import StorageUnavailable
from chalicelib.domain.finished.receipt import Receipt, latest_key, object_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.adapters.aws.bucket import Bucket, StoredObject
    from chalicelib.domain.names import JobName, ProjectName

MAX_RECEIPT = 2**20
ATTEMPTS = 3
"""Times that a Receipt is written where others write it, too."""


class S3Receipts:
    """The port of the cleanup, and of who asks for a Job that is gone."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def store(self, receipt: Receipt) -> None:
        """Stores *receipt* where none of its Job is, and as the newest of its name unless a later Job's is there."""
        body = msgspec.json.encode(receipt)
        if len(body) > MAX_RECEIPT:
            # Only a specification written with kubectl is that large. The outcome of the Job is kept.
            body = msgspec.json.encode(msgspec.structs.replace(receipt, spec=None, submission=None))
        self._write(object_key(receipt), body, lambda _: True)
        self._write(latest_key(receipt.project, receipt.name), body, lambda there: not _is_older(there, receipt))

    def find(self, project: ProjectName, name: JobName) -> Receipt | None:
        """The newest Receipt of a Job of that name, or None."""
        stored = self._bucket.find(latest_key(project, name), MAX_RECEIPT)
        return _decode(stored) if stored else None

    def _write(self, key: str, body: bytes, stays: Callable[[StoredObject], bool]) -> None:
        """Writes *body*, unless what is there *stays*; whoever came in between is looked at again."""
        for _ in range(ATTEMPTS):
            there = self._bucket.find(key, MAX_RECEIPT)
            if there and stays(there):
                return
            with contextlib.suppress(ObjectChangedError):
                self._bucket.put(key, body, replacing=there)
                return
        raise StorageUnavailable("Concurrent writers kept replacing this Receipt. Try again later.")


def _is_older(there: StoredObject, receipt: Receipt) -> bool:
    """Whether *receipt* is of a later Job than the one whose Receipt is *there*; what cannot be read is of none."""
    known = _decode(there)
    return known is None or (known.id != receipt.id and known.created_at <= receipt.created_at)


def _decode(stored: StoredObject) -> Receipt | None:
    try:
        return msgspec.json.decode(stored.body, type=Receipt)
    except (ValueError, RecursionError):
        return None
