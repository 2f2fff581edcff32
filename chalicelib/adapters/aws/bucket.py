"""The deployment's S3 bucket: uploads come from it, status objects and Receipts go to it.

Each call names our own account as the bucket's owner: a bucket of that name that somebody else made is refused.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from chalicelib.adapters.aws.botocore_client import NO_ANSWER, client
from chalicelib.domain.errors import REPORT_TO_OPERATORS, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.settings import Settings

RETRY_AFTER = 5

_NO_ANSWER = (*NO_ANSWER, OSError, KeyError)
_MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "404"})
_REFUSED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


class ObjectChangedError(Exception):
    """The object is no longer the one that was meant."""


class StoredObject(msgspec.Struct, frozen=True):
    """An object's first bytes, its ETag, and the metadata it was stored with."""

    body: bytes
    etag: str
    metadata: Mapping[str, str]


class Bucket:
    """One bucket."""

    def __init__(self, name: str, owner: str, client: Any) -> None:  # noqa: ANN401 - botocore makes its clients at run time
        self._client = client
        self._bucket = {"Bucket": name} | ({"ExpectedBucketOwner": owner} if owner else {})

    def find(self, key: str, limit: int, *, version: str | None = None, etag: str | None = None) -> StoredObject | None:
        """At most *limit* bytes of the object, or None when there is none.

        ObjectChangedError when it, or the *version* of it that is asked for, is not the one of that *etag*.
        """
        chosen = {name: value for name, value in (("VersionId", version), ("IfMatch", etag)) if value}
        try:
            answer = self._client.get_object(**self._bucket, Key=key, **chosen)
            with answer["Body"] as stream:
                body = stream.read(limit)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _MISSING:
                return None
            if code in _REFUSED:
                raise ObjectChangedError from error
            raise _unavailable(code) from error
        except _NO_ANSWER as error:
            raise _unavailable() from error
        return StoredObject(body, answer["ETag"], answer["Metadata"])

    def put(
        self, key: str, body: bytes, metadata: Mapping[str, str] | None = None, *, replacing: StoredObject | None
    ) -> None:
        """Stores *body* as JSON in place of *replacing*, or where nothing was; else ObjectChangedError."""
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
            # NoSuchKey: what was to be replaced has been deleted meanwhile.
            if code in _REFUSED | _MISSING:
                raise ObjectChangedError from error
            raise _unavailable(code) from error
        except _NO_ANSWER as error:
            raise _unavailable() from error


def _unavailable(code: str = "") -> StorageUnavailable:
    if code == "AccessDenied":
        return StorageUnavailable(f"AWS does not let this API use its bucket. {REPORT_TO_OPERATORS}")
    return StorageUnavailable("The API's bucket cannot be reached. Try again later.", retry_after=RETRY_AFTER)


@cache
def connect(settings: Settings) -> Bucket:
    """This deployment's bucket, one for each process."""
    # Of the client's 8 s a request that looks for a Receipt has as many left, after its deadline of 20.
    return Bucket(settings.uploads_bucket, settings.uploads_bucket_owner, client("s3", settings.aws_region))
