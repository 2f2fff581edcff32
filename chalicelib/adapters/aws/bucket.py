"""The deployment's S3 bucket, which holds uploads, their status objects and Receipts.

Each request has ExpectedBucketOwner, so that S3 rejects it if a bucket of that name belongs to another account.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from chalicelib.adapters.aws.botocore_client import NO_RESPONSE, call_failure_reason, client
from chalicelib.domain.errors import REPORT_TO_OPERATORS, StorageUnavailable
from chalicelib.domain.failure_reasons import FailureReason, note_reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.settings import Settings

RETRY_AFTER = 5

_NO_RESPONSE = (*NO_RESPONSE, OSError, KeyError)
_MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "404"})
_CONFLICT = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


class ObjectChangedError(Exception):
    """The object does not have the expected ETag any more."""


class StoredObject(msgspec.Struct, frozen=True):
    """The first bytes of an object, its ETag and its metadata."""

    body: bytes
    etag: str
    metadata: Mapping[str, str]


class Bucket:
    """An S3 bucket, with conditional reads and writes."""

    def __init__(self, name: str, owner: str, client: Any) -> None:  # noqa: ANN401 - botocore makes its clients at run time
        self._client = client
        self._bucket = {"Bucket": name} | ({"ExpectedBucketOwner": owner} if owner else {})

    def find(self, key: str, limit: int, *, version: str | None = None, etag: str | None = None) -> StoredObject | None:
        """Return the object with at most *limit* bytes of its body, or None if it does not exist.

        Raises:
            ObjectChangedError: the object, or the given *version* of it, does not have this *etag*.
            StorageUnavailable: S3 cannot be reached or denies access.
        """
        conditions = {name: value for name, value in (("VersionId", version), ("IfMatch", etag)) if value}
        try:
            response = self._client.get_object(**self._bucket, Key=key, **conditions)
            with response["Body"] as stream:
                body = stream.read(limit)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _MISSING:
                return None
            if code in _CONFLICT:
                raise ObjectChangedError from error
            raise _unavailable(error) from error
        except _NO_RESPONSE as error:
            raise _unavailable(error) from error
        return StoredObject(body, response["ETag"], response["Metadata"])

    def put(
        self, key: str, body: bytes, metadata: Mapping[str, str] | None = None, *, replacing: StoredObject | None
    ) -> None:
        """Store *body* as JSON if the object is still *replacing*, or does not exist; else raise ObjectChangedError."""
        condition = {"IfMatch": replacing.etag} if replacing else {"IfNoneMatch": "*"}
        try:
            self._client.put_object(
                **self._bucket,
                Key=key,
                Body=body,
                ContentType="application/json",
                Metadata=dict(metadata or {}),
                **condition,
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            # NoSuchKey: the object to replace was deleted in the meantime.
            if code in _CONFLICT | _MISSING:
                raise ObjectChangedError from error
            raise _unavailable(error) from error
        except _NO_RESPONSE as error:
            raise _unavailable(error) from error


def _unavailable(cause: Exception) -> StorageUnavailable:
    reason = call_failure_reason(cause)
    if reason == FailureReason.ACCESS_DENIED:
        error = StorageUnavailable(f"AWS denies this API access to its S3 bucket. {REPORT_TO_OPERATORS}")
    else:
        error = StorageUnavailable("The API's S3 bucket cannot be reached. Try again later.", retry_after=RETRY_AFTER)
    return note_reason(error, reason, "s3")


@cache
def connect(settings: Settings) -> Bucket:
    """Return this deployment's bucket, one for each process."""
    # A call takes at most 8 s, so that even a request that reads a Receipt at its deadline of 20 s ends within 28.
    return Bucket(settings.uploads_bucket, settings.uploads_bucket_owner, client("s3", settings.aws_region))
