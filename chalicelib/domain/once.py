"""Exactly once, without a database: a Job's name is the lock, its request hash says whether it is the same request.

The promise lasts as long as the Job: once it is deleted, the same request makes a new one.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.domain.errors import (
    BeingDeleted,
    FieldError,
    IdempotencyKeyReused,
    InvalidJob,
    MalformedRequest,
    NameTaken,
)
from chalicelib.domain.names import KEY_HASH, MAX_NEW_NAME, REQUEST_HASH

if TYPE_CHECKING:
    from chalicelib.domain.caller import Caller
    from chalicelib.domain.kubernetes import Job
    from chalicelib.domain.submission import Submission

MAX_KEY = 255
RETRY_AFTER_DELETION = 5
"""Seconds; a pod's grace period is longer, but most pods of finished Jobs are gone by then."""

_MAX_LABEL = 63
SUFFIX_LENGTH = 10
"""Characters of base 32: 50 bits, so that keys of one Project do not meet by chance."""


@dataclass(frozen=True)
class Lock:
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


def lock(submission: Submission, caller: Caller, key: str | None, nonce: str) -> Lock:
    """The lock of a request: by its name, else by its Idempotency-Key, else by *nonce*, which is new each time."""
    asked = submission.as_asked
    who = caller.user.encode()
    key_hash = None if key is None else _hash(who, submission.project.encode(), checked_key(key).encode())
    if submission.name:
        return Lock(submission.name, _hash(who, asked), key_hash, nonce)
    if key_hash:
        return Lock(f"{_keyed_prefix(submission)}-{_suffix(key_hash)}", _hash(who, asked, b""), key_hash, nonce)
    prefix = submission.job_name_prefix or submission.job_type.lower()
    # Only this very request may find itself again, after an answer got lost.
    return Lock(f"{prefix}-{_suffix(_hash(nonce.encode()))}", _hash(who, asked, nonce.encode()), None, nonce)


def shared_lock(name: str, submission: Submission) -> Lock:
    """The lock of what follows from another Job: the same for all callers, who ask for the same."""
    return Lock(name, _hash(b"all", submission.as_asked), None)


def derived_name(base: str, uid: str) -> str:
    """The name of what follows from the Job *base* with that *uid*: the same each time, and no other Job's."""
    stem = base.replace(".", "-")[: MAX_NEW_NAME - SUFFIX_LENGTH - 1].rstrip("-")
    return f"{stem}-{_suffix(_hash(uid.encode()))}"


def _keyed_prefix(submission: Submission) -> str:
    """One for all: a key makes one name, whatever else the request says."""
    if submission.job_name_prefix:
        message = "an Idempotency-Key makes the name; send one or the other"
        raise InvalidJob("The Job was refused; errors names each field.", (FieldError("/jobNamePrefix", message),))
    return "job"


def _suffix(drawn: str) -> str:
    return base64.b32encode(bytes.fromhex(drawn)).decode().lower()[:SUFFIX_LENGTH]


def checked_key(key: str) -> str:
    """*key* as an Idempotency-Key; MalformedRequest when it is none."""
    if not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        message = f"an Idempotency-Key has 1 to {MAX_KEY} printable ASCII characters"
        raise MalformedRequest("The Idempotency-Key is not one.", (FieldError("/Idempotency-Key", message),))
    return key


def replayed(found: Job, wanted: Lock) -> Job:
    """*found*, which holds the name, when it came from the same request; else the error that says what it is."""
    if found.metadata.deletion_timestamp:
        raise BeingDeleted(
            f"The Job {wanted.name} is being deleted. Try again when it is gone.", retry_after=RETRY_AFTER_DELETION
        )
    if found.metadata.annotations.get(REQUEST_HASH) == wanted.request_hash:
        return found
    if wanted.key_hash and found.metadata.annotations.get(KEY_HASH) == wanted.key_hash:
        raise IdempotencyKeyReused("This Idempotency-Key made another Job. Use a new key for a new Job.")
    raise NameTaken(f"The Project has another Job named {wanted.name}. Choose another name, or delete that Job.")


def _hash(*parts: bytes) -> str:
    """A hash of *parts* that knows where each ends."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
