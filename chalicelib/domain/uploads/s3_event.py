"""What S3 tells of uploads: which objects are submissions, and where it is said what became of them.

An event comes at least once, in any order, and its keys are whatever somebody chose; nothing of it is believed that
was not checked here. That it is our account's is seen to by the function's permission and by each read.
"""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import unquote_plus

import msgspec

from chalicelib.domain.errors import MalformedRequest
from chalicelib.domain.names import ProjectName, project_name
from chalicelib.domain.submission.idempotency import ObjectVersion

SUBMIT, STATUS = "submit/", "status/"
"""Where uploads arrive, and where it is told what became of them."""
MAX_UPLOAD = 65536
"""Bytes, as of a request's body."""
MAX_KEY = 1024
"""Bytes of an object's key."""

_VERSIONING_OFF = "null"


class SupersededError(Exception):
    """The object was overwritten, and its bucket keeps no versions: the newer event tells what becomes of it."""


class Upload(msgspec.Struct, frozen=True):
    """A version of an object that somebody put below `submit/<project>/`."""

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
        """The version; where there are none, the event's place among the others of that key."""
        return ObjectVersion(self.bucket, self.key, self.version or self.sequencer)

    @property
    def status_key(self) -> str:
        """The key of the object that tells what became of it."""
        return f"{STATUS}{self.key.removeprefix(SUBMIT)}.json"


class IgnoredRecord(msgspec.Struct, frozen=True):
    """A record that is no upload, and nothing can be told to whoever sent it; *why* is for the log."""

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
    """Every record of an event of S3: an upload to *bucket*, or why it is none."""
    if isinstance(document, dict) and document.get("Event") == "s3:TestEvent":
        return [IgnoredRecord("S3 tries whether it may call")]
    records = document.get("Records") if isinstance(document, dict) else None
    if not isinstance(records, list):
        return [IgnoredRecord("no event of S3")]
    return [_read(record, bucket) for record in records]


def _read(record: object, bucket: str) -> Upload | IgnoredRecord:
    try:
        told = msgspec.convert(record, _Record)
        key = unquote_plus(told.s3.object.key, errors="strict")
        size = len(key.encode())
    except (msgspec.ValidationError, UnicodeError):
        return IgnoredRecord("no record of S3")
    if told.event_source != "aws:s3" or not told.event_name.startswith("ObjectCreated:"):
        return IgnoredRecord("another event", key)
    if told.s3.bucket.name != bucket:
        return IgnoredRecord("another bucket", key)
    if size > MAX_KEY - len(".json"):
        return IgnoredRecord("a key that leaves no room for its status", key)
    return _upload(told, key)


def _upload(told: _Record, key: str) -> Upload | IgnoredRecord:
    folder, _, path = key.removeprefix(SUBMIT).partition("/")
    try:
        project = project_name(folder)
    except MalformedRequest:
        return IgnoredRecord("a key that names no Project", key)
    if not key.startswith(SUBMIT) or not path or path.endswith("/"):
        return IgnoredRecord("a folder, or a key elsewhere", key)
    # Some clients walk such paths, into another Project's statuses.
    if not {".", ".."}.isdisjoint(path.split("/")):
        return IgnoredRecord("a key with dots for a folder", key)
    thing = told.s3.object
    return Upload(
        bucket=told.s3.bucket.name,
        project=project,
        key=key,
        version=None if thing.version == _VERSIONING_OFF else thing.version,
        sequencer=thing.sequencer,
        etag=f'"{thing.etag.strip(chr(34))}"',
        size=thing.size,
        uploader=_sanitized(told.user_identity.principal_id),
    )


def _sanitized(principal: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.:/@=+,-]", "_", principal)[:128]
