"""Uploads in the S3 bucket, and the status objects beside them.

An upload is read with the version id and the ETag of its event. The status object carries the event's sequencer and
whether the status is final as metadata, and every write is conditional on what was read (If-Match, If-None-Match), so
that a late or repeated delivery replaces neither the status of a newer event nor a final one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.adapters.aws.bucket import RETRY_AFTER, ObjectChangedError
from chalicelib.domain.errors import StorageUnavailable, UploadGone
from chalicelib.domain.failure_reasons import FailureReason, note_reason
from chalicelib.domain.uploads.s3_event import MAX_UPLOAD, SupersededError
from chalicelib.domain.uploads.status import FINAL, SEQUENCER, is_final, may_overwrite_status

if TYPE_CHECKING:
    from chalicelib.adapters.aws.bucket import Bucket, StoredObject
    from chalicelib.domain.uploads.s3_event import Upload

ATTEMPTS = 5
"""Attempts to write a status when other deliveries for the same object write it at the same time."""


class S3Uploads:
    """Implements Uploads."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def has_final_status(self, upload: Upload) -> bool:
        """Return whether an earlier delivery of the same event stored a final status."""
        found = self._status(upload)
        return found is not None and is_final(upload, found.metadata)

    def read(self, upload: Upload) -> bytes:
        """Return at most MAX_UPLOAD + 1 bytes; UploadGone if it was deleted, SupersededError if it was replaced."""
        try:
            found = self._bucket.find(upload.key, MAX_UPLOAD + 1, version=upload.version, etag=upload.etag)
        except ObjectChangedError as error:
            raise SupersededError from error
        if found is None:
            raise UploadGone("The object was deleted before it could be read. Upload it again.")
        return found.body

    def write_status(self, upload: Upload, status: bytes, *, final: bool) -> None:
        """Store *status*, unless the status of a newer event or a final one of this event is stored already."""
        metadata = {SEQUENCER: upload.sequencer} | ({FINAL: "true"} if final else {})
        stored: StoredObject | None = None
        for _ in range(ATTEMPTS):
            if stored and not may_overwrite_status(upload, stored.metadata):
                return
            try:
                self._bucket.put(upload.status_key, status, metadata, replacing=stored)
            except ObjectChangedError:
                stored = self._status(upload)
            else:
                return
        error = StorageUnavailable("Concurrent writers kept replacing this status. Try again.", retry_after=RETRY_AFTER)
        raise note_reason(error, FailureReason.CONFLICT, "s3")

    def _status(self, upload: Upload) -> StoredObject | None:
        return self._bucket.find(upload.status_key, MAX_UPLOAD)
