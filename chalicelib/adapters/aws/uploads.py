"""Uploads in the bucket: each read as the version that the event names, and what became of it told beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.adapters.aws.bucket import RETRY_AFTER, ObjectChangedError
from chalicelib.domain.errors import StorageUnavailable, UploadGone
from chalicelib.domain.uploads.s3_event import MAX_UPLOAD, SupersededError
from chalicelib.domain.uploads.status import FINAL, SEQUENCER, is_final, may_overwrite_status

if TYPE_CHECKING:
    from chalicelib.adapters.aws.bucket import Bucket, StoredObject
    from chalicelib.domain.uploads.s3_event import Upload

ATTEMPTS = 5
"""Times a status is written that meets others: events of one object that come together."""


class S3Uploads:
    """The port of the use case."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def is_settled(self, upload: Upload) -> bool:
        """Whether an earlier delivery of the same event had the last word."""
        found = self._status(upload)
        return found is not None and is_final(upload, found.metadata)

    def read(self, upload: Upload) -> bytes:
        """The document, at most one byte longer than is taken; UploadGone or SupersededError when there is none."""
        try:
            found = self._bucket.find(upload.key, MAX_UPLOAD + 1, version=upload.version, etag=upload.etag)
        except ObjectChangedError as error:
            raise SupersededError from error
        if found is None:
            raise UploadGone("The object was deleted before it could be read. Upload it again.")
        return found.body

    def tell(self, upload: Upload, status: bytes, *, settled: bool) -> None:
        """Stores *status* where no newer event's, and no last word about this one, is there already."""
        metadata = {SEQUENCER: upload.sequencer} | ({FINAL: "true"} if settled else {})
        known: StoredObject | None = None
        for _ in range(ATTEMPTS):
            if known and not may_overwrite_status(upload, known.metadata):
                return
            try:
                self._bucket.put(upload.status_key, status, metadata, replacing=known)
            except ObjectChangedError:
                known = self._status(upload)
            else:
                return
        raise StorageUnavailable("Too many write one status at once. Try again.", retry_after=RETRY_AFTER)

    def _status(self, upload: Upload) -> StoredObject | None:
        return self._bucket.find(upload.status_key, MAX_UPLOAD)
