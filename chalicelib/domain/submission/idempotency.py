"""Exactly once, without a database: a Job's name is the lock, its request hash says whether it is the same request.

The promise lasts as long as the Job: once it is deleted, the same request makes a new one.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.domain.errors import (
    FieldError,
    IdempotencyKeyReused,
    InvalidJob,
    JobBeingDeleted,
    MalformedRequest,
    NameTaken,
)
from chalicelib.domain.labels import KEY_HASH_ANNOTATION, REQUEST_HASH_ANNOTATION
from chalicelib.domain.names import MAX_NEW_NAME

if TYPE_CHECKING:
    from chalicelib.domain.caller import Caller
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.submission.model import Submission

MAX_KEY = 255
RETRY_AFTER_DELETION = 5
"""Seconds; a pod's grace period is longer, but most pods of finished Jobs are gone by then."""

SUFFIX_LENGTH = 10
"""Characters of base 32: 50 bits, so that keys of one Project do not meet by chance."""
PREFIX_LENGTH = 40
"""Of a made name: with a hyphen and the suffix it is as long as a new Job's name may be."""

_MAX_LABEL = 63


@dataclass(frozen=True)
class UniqueRequest:
    """A request of its own: only its own attempts share what was drawn for it."""

    nonce: str


@dataclass(frozen=True)
class IdempotencyKey:
    """A request that the caller calls by a name of its choice; *drawn* is new each time."""

    text: str
    nonce: str = field(default="", compare=False)


@dataclass(frozen=True)
class ObjectVersion:
    """A request that is one version of an object in S3, however often we are told of it."""

    bucket: str
    key: str
    version: str

    @property
    def nonce(self) -> str:
        """Of the version itself: each makes one Job in its life."""
        return _hash(self.bucket.encode(), self.key.encode(), self.version.encode())


DeduplicationKey = UniqueRequest | IdempotencyKey | ObjectVersion
"""What makes a request known again."""


@dataclass(frozen=True)
class JobIdentity:
    """The name a Job gets, and the hashes that it carries to be known again."""

    name: str
    request_hash: str
    key_hash: str | None
    nonce: str = field(default="", compare=False)
    """New with each request, so it tells no request from another."""

    @property
    def service(self) -> str:
        """The name of the Service that a multi-node Job gets: another one for each request."""
        # Before Kubernetes 1.36 a Service's name begins with a letter (RFC 1035), which a Job's need not.
        stem = f"job-{self.name}"[: _MAX_LABEL - SUFFIX_LENGTH - 1].rstrip("-")
        return f"{stem}-{_suffix(_hash(b'service', self.nonce.encode()))}"


def identify(
    submission: Submission, caller: Caller, deduplication_key: DeduplicationKey, identity: bytes | None = None
) -> JobIdentity:
    """The lock of a request: by the name that it asks for, else by one that is made of what it is known by.

    *identity* is what tells the request from others, where that is not the submission.
    """
    asked = submission.identity if identity is None else identity
    if isinstance(deduplication_key, IdempotencyKey) and submission.job_name_prefix:
        message = "an Idempotency-Key makes the name; send one or the other"
        raise InvalidJob.at(FieldError("/jobNamePrefix", message))
    if known := identify_repeatable(submission.project, submission.name, asked, caller, deduplication_key):
        return known
    # Only this very request may find itself again, after an answer got lost.
    own = (
        deduplication_key.nonce
        if isinstance(deduplication_key, ObjectVersion)
        else _hash(deduplication_key.nonce.encode())
    )
    request_hash = _hash(caller.user.encode(), asked, own.encode())
    return JobIdentity(
        f"{_prefix(submission, deduplication_key)}-{_suffix(own)}", request_hash, None, deduplication_key.nonce
    )


def identify_repeatable(
    project: str, name: str | None, identity: bytes, caller: Caller, deduplication_key: DeduplicationKey
) -> JobIdentity | None:
    """The lock of a request that can be sent again: by its *name* or its Idempotency-Key; None without either."""
    who, key_hash = caller.user.encode(), None
    if isinstance(deduplication_key, IdempotencyKey):
        key_hash = _hash(who, project.encode(), require_valid_key(deduplication_key.text).encode())
    if name:
        return JobIdentity(name, _hash(who, identity), key_hash, deduplication_key.nonce)
    if key_hash:
        # One prefix for all: a key makes one name, whatever else the request says.
        return JobIdentity(f"job-{_suffix(key_hash)}", _hash(who, identity, b""), key_hash, deduplication_key.nonce)
    return None


def _prefix(submission: Submission, deduplication_key: DeduplicationKey) -> str:
    """As asked, else the name of the uploaded file as far as a Job can have it, else the type."""
    stem = ""
    if isinstance(deduplication_key, ObjectVersion):
        stem = deduplication_key.key.rpartition("/")[2].rpartition(".")[0]
    slug = re.sub(r"[^a-z0-9]+", "-", stem.lower())[:PREFIX_LENGTH].strip("-")
    return submission.job_name_prefix or slug or submission.job_type.lower()


def identify_shared(name: str, submission: Submission) -> JobIdentity:
    """The lock of what follows from another Job: the same for all callers, who ask for the same."""
    return JobIdentity(name, _hash(b"all", submission.identity), None)


def resubmission_name(base: str, uid: str) -> str:
    """The name of what follows from the Job *base* with that *uid*: the same each time, and no other Job's."""
    stem = base.replace(".", "-")[: MAX_NEW_NAME - SUFFIX_LENGTH - 1].rstrip("-")
    return f"{stem}-{_suffix(_hash(uid.encode()))}"


def _suffix(nonce: str) -> str:
    return base64.b32encode(bytes.fromhex(nonce)).decode().lower()[:SUFFIX_LENGTH]


def require_valid_key(key: str) -> str:
    """*key* as an Idempotency-Key; MalformedRequest when it is none."""
    if not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        message = f"an Idempotency-Key has 1 to {MAX_KEY} printable ASCII characters"
        raise MalformedRequest("The Idempotency-Key header is invalid.", (FieldError("/Idempotency-Key", message),))
    return key


def require_same_request(found: Job, wanted: JobIdentity) -> Job:
    """*found*, which holds the name, when it came from the same request; else the error that says what it is."""
    if found.metadata.deletion_timestamp:
        raise JobBeingDeleted(
            f"The Job {wanted.name} is being deleted. Try again when it is gone.", retry_after=RETRY_AFTER_DELETION
        )
    if found.metadata.annotations.get(REQUEST_HASH_ANNOTATION) == wanted.request_hash:
        return found
    if wanted.key_hash and found.metadata.annotations.get(KEY_HASH_ANNOTATION) == wanted.key_hash:
        raise IdempotencyKeyReused("This Idempotency-Key made another Job. Use a new key for a new Job.")
    raise NameTaken(f"The Project has another Job named {wanted.name}. Choose another name, or delete that Job.")


def _hash(*parts: bytes) -> str:
    """A hash of *parts* that knows where each ends."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
