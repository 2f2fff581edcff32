"""Parse S3 events: which records are uploads of submissions, and under which key their status is written.

S3 delivers events at least once and in any order. Keys are attacker-controlled, so every field is validated here. The
AWS account is checked by the permission of the Lambda function (SourceAccount) and by ExpectedBucketOwner on each read.
"""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import unquote_plus

import msgspec

from chalicelib.domain.errors import MalformedRequest
from chalicelib.domain.names import ProjectName, project_name
from chalicelib.domain.submission.deduplication_key import ObjectVersion

SUBMIT, STATUS = "submit/", "status/"
"""The prefixes of uploads and of their status objects."""
MAX_UPLOAD = 65536
"""Bytes, as for the body of a request."""
MAX_KEY = 1024
"""Bytes of a key, the limit of S3."""

_VERSIONING_OFF = "null"


class SupersededError(Exception):
    """The object was overwritten in a bucket without versioning; the newer event is processed instead."""


class Upload(msgspec.Struct, frozen=True):
    """A version of an object below `submit/<project>/`."""

    bucket: str
    project: ProjectName
    key: str
    version: str | None
    sequencer: str
    etag: str
    size: int
    uploader: str

    @property
    def deduplication_key(self) -> ObjectVersion:
        """The version of the object or, in a bucket without versioning, the sequencer of the event."""
        return ObjectVersion(self.bucket, self.key, self.version or self.sequencer)

    @property
    def status_key(self) -> str:
        """The key of the status object."""
        return f"{STATUS}{self.key.removeprefix(SUBMIT)}.json"


class IgnoredRecord(msgspec.Struct, frozen=True):
    """A record that is not an upload and gets no status object; *why* is logged."""

    why: str
    key: str = ""


class _Bucket(msgspec.Struct):
    name: str


class _Object(msgspec.Struct, rename={"version": "versionId", "etag": "eTag"}):
    key: str
    size: Annotated[int, msgspec.Meta(ge=0)]
    etag: Annotated[str, msgspec.Meta(pattern=r'^"?[!#-~]{1,128}"?\Z')]
    sequencer: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{1,64}\Z")]
    version: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,1024}\Z")] | None = None


class _S3Entity(msgspec.Struct):
    bucket: _Bucket
    object: _Object


class _Identity(msgspec.Struct, rename="camel"):
    principal_id: str = ""


class _Record(msgspec.Struct, rename="camel"):
    event_source: str
    event_name: str
    s3: _S3Entity
    user_identity: _Identity = msgspec.field(default_factory=_Identity)


def read_event(document: object, bucket: str) -> list[Upload | IgnoredRecord]:
    """Return each record of an S3 event as an upload to *bucket*, or with the reason why it is ignored."""
    if isinstance(document, dict) and document.get("Event") == "s3:TestEvent":
        return [IgnoredRecord("S3 test event")]
    records = document.get("Records") if isinstance(document, dict) else None
    if not isinstance(records, list):
        return [IgnoredRecord("not an S3 event")]
    return [_parse(record, bucket) for record in records]


def _parse(document: object, bucket: str) -> Upload | IgnoredRecord:
    try:
        record = msgspec.convert(document, _Record)
        key = unquote_plus(record.s3.object.key, errors="strict")
        size = len(key.encode())
    except (msgspec.ValidationError, UnicodeError):
        return IgnoredRecord("invalid S3 record")
    if record.event_source != "aws:s3" or not record.event_name.startswith("ObjectCreated:"):
        return IgnoredRecord("not an ObjectCreated event", key)
    if record.s3.bucket.name != bucket:
        return IgnoredRecord("object in another bucket", key)
    if size > MAX_KEY - len(".json"):
        return IgnoredRecord("key too long for its status object", key)
    return _upload(record, key)


def _upload(record: _Record, key: str) -> Upload | IgnoredRecord:
    folder, _, path = key.removeprefix(SUBMIT).partition("/")
    try:
        project = project_name(folder)
    except MalformedRequest:
        return IgnoredRecord("no valid Project in key", key)
    if not key.startswith(SUBMIT) or not path or path.endswith("/"):
        return IgnoredRecord("not an object below submit/<project>/", key)
    # Some clients normalize such a path, so that the status would be in another Project's folder.
    if not {".", ".."}.isdisjoint(path.split("/")):
        return IgnoredRecord("path traversal segment in key", key)
    s3_object = record.s3.object
    return Upload(
        bucket=record.s3.bucket.name,
        project=project,
        key=key,
        version=None if s3_object.version == _VERSIONING_OFF else s3_object.version,
        sequencer=s3_object.sequencer,
        etag=f'"{s3_object.etag.strip(chr(34))}"',
        size=s3_object.size,
        uploader=_sanitized(record.user_identity.principal_id),
    )


def _sanitized(principal: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.:/@=+,-]", "_", principal)[:128]
