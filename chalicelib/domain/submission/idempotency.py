"""Idempotent creation of Jobs without a database: the name of the Job is the lock.

1. Each request gets a `JobIdentity`: the name of its Job and a hash of the caller and the submission. The name comes
   from the submission, or else it is derived from the Idempotency-Key, the version of the uploaded object, or a random
   nonce. `jobNamePrefix` is the beginning of a derived name, so that two requests with one key and different prefixes
   have different names: a Job whose name comes from a key has a label, by which it is found before one is created.
2. The Job is created under that name, with the hash as an annotation. The API server accepts each name only once, so
   of any number of repeated or concurrent requests, one creates the Job.
3. The other requests read the Job with that name. If its hash is the same, `require_same_request` returns it as their
   own; otherwise the request fails with a conflict.

The guarantee lasts as long as the Job exists: after its deletion, the same request creates a new one.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from chalicelib.domain.errors import (
    IdempotencyKeyReused,
    JobBeingDeleted,
    NameTaken,
)
from chalicelib.domain.labels import KEY_HASH_ANNOTATION, REQUEST_HASH_ANNOTATION
from chalicelib.domain.names import MAX_NEW_NAME
from chalicelib.domain.submission.deduplication_key import (
    DeduplicationKey,
    IdempotencyKey,
    ObjectVersion,
    length_prefixed_hash,
    require_valid_key,
)

if TYPE_CHECKING:
    from chalicelib.domain.caller import Caller
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.submission.model import Submission

RETRY_AFTER_DELETION = 5
"""Seconds. Shorter than the grace period of a pod, because most pods of finished Jobs are deleted by then."""

SUFFIX_LENGTH = 10
"""Characters of base 32: 50 bits, so that names derived from different keys of a Project do not collide."""
PREFIX_LENGTH = 40
"""Characters of the prefix of a generated name; a hyphen and the suffix fill up MAX_NEW_NAME."""

_MAX_LABEL = 63


@dataclass(frozen=True)
class JobIdentity:
    """The name of a request's Job, and the hashes that its annotations contain."""

    name: str
    request_hash: str
    key_hash: str | None
    nonce: str = field(default="", compare=False)
    """Random for each delivery, and therefore excluded from equality."""
    is_upload: bool = False
    """Whether *key_hash* is that of an S3 object, all versions of which have the same."""
    key_label: str | None = None
    """The value of KEY_LABEL, if the name comes from an Idempotency-Key."""

    @property
    def service(self) -> str:
        """The name of the Service of a multi-node Job, which is unique for each delivery."""
        # Before Kubernetes 1.36 the name of a Service must begin with a letter (RFC 1035), unlike that of a Job.
        stem = f"job-{self.name}"[: _MAX_LABEL - SUFFIX_LENGTH - 1].rstrip("-")
        return f"{stem}-{_suffix(length_prefixed_hash(b'service', self.nonce.encode()))}"


class RequestedNames(NamedTuple):
    """What a request says about the name of its Job."""

    project: str
    name: str | None = None
    prefix: str | None = None


def identify(
    submission: Submission, caller: Caller, deduplication_key: DeduplicationKey, identity: bytes | None = None
) -> JobIdentity:
    """Return the identity of a request: with the name in the submission, or else a name from *deduplication_key*.

    Args:
        submission: The Job to create.
        caller: The caller; requests of different callers are never the same request.
        deduplication_key: The property by which repetitions are recognized.
        identity: The bytes to hash in place of the submission, if the submission can differ between repetitions.
    """
    content = submission.identity if identity is None else identity
    names = RequestedNames(submission.project, submission.name, submission.job_name_prefix)
    if repeatable := identify_repeatable(names, content, caller, deduplication_key):
        return repeatable
    # Only this delivery can find its Job again, for example after the response of the cluster was lost.
    digest = (
        deduplication_key.nonce
        if isinstance(deduplication_key, ObjectVersion)
        else length_prefixed_hash(deduplication_key.nonce.encode())
    )
    request_hash = length_prefixed_hash(caller.user.encode(), content, digest.encode())
    return JobIdentity(
        f"{_prefix(submission, deduplication_key)}-{_suffix(digest)}", request_hash, None, deduplication_key.nonce
    )


def identify_repeatable(
    names: RequestedNames, identity: bytes, caller: Caller, deduplication_key: DeduplicationKey
) -> JobIdentity | None:
    """Return the identity of a request that has a name or an Idempotency-Key, or None."""
    project, name, prefix = names
    user, key_hash = caller.user.encode(), None
    if isinstance(deduplication_key, IdempotencyKey):
        key_hash = length_prefixed_hash(user, project.encode(), require_valid_key(deduplication_key.text).encode())
    if isinstance(deduplication_key, ObjectVersion) and name:
        object_hash = length_prefixed_hash(b"object", deduplication_key.bucket.encode(), deduplication_key.key.encode())
        return JobIdentity(
            name, length_prefixed_hash(user, identity), object_hash, deduplication_key.nonce, is_upload=True
        )
    if name:
        return JobIdentity(name, length_prefixed_hash(user, identity), key_hash, deduplication_key.nonce)
    if key_hash:
        # The same prefix for all types: the name must depend on nothing but the key and the requested prefix.
        return JobIdentity(
            f"{prefix or 'job'}-{_suffix(key_hash)}",
            length_prefixed_hash(user, identity, b""),
            key_hash,
            deduplication_key.nonce,
            key_label=key_hash[:_MAX_LABEL],
        )
    return None


def _prefix(submission: Submission, deduplication_key: DeduplicationKey) -> str:
    """Return the requested prefix, or else the name of the uploaded file as a DNS label, or else the type."""
    stem = ""
    if isinstance(deduplication_key, ObjectVersion):
        stem = deduplication_key.key.rpartition("/")[2].rpartition(".")[0]
    slug = re.sub(r"[^a-z0-9]+", "-", stem.lower())[:PREFIX_LENGTH].strip("-")
    return submission.job_name_prefix or slug or submission.job_type.lower()


def identify_shared(name: str, submission: Submission) -> JobIdentity:
    """Return the identity of a retry, which is the same for all callers: they all retry the same Job."""
    return JobIdentity(name, length_prefixed_hash(b"all", submission.identity), None)


def resubmission_name(base: str, uid: str) -> str:
    """Return the name for a retry of the Job *base*; it is always the same for the same *uid*, and unique to it."""
    stem = base.replace(".", "-")[: MAX_NEW_NAME - SUFFIX_LENGTH - 1].rstrip("-")
    return f"{stem}-{_suffix(length_prefixed_hash(uid.encode()))}"


def _suffix(digest: str) -> str:
    return base64.b32encode(bytes.fromhex(digest)).decode().lower()[:SUFFIX_LENGTH]


def require_same_request(existing: Job, identity: JobIdentity) -> Job:
    """Return *existing*, the Job with the name or the key of *identity*, if the same request created it.

    Raises: JobBeingDeleted, IdempotencyKeyReused, NameTaken.
    """
    if existing.metadata.deletion_timestamp:
        raise JobBeingDeleted(
            f"The Job {existing.metadata.name} is being deleted. Try again after its deletion.",
            retry_after=RETRY_AFTER_DELETION,
        )
    if existing.metadata.annotations.get(REQUEST_HASH_ANNOTATION) == identity.request_hash:
        return existing
    if identity.key_hash and existing.metadata.annotations.get(KEY_HASH_ANNOTATION) == identity.key_hash:
        if identity.is_upload:
            raise NameTaken(
                f"An earlier version of this object created the Job {identity.name}. Delete that Job or set another "
                "name, and upload the object again."
            )
        raise IdempotencyKeyReused(
            f"This Idempotency-Key was already used in another request, for the Job {existing.metadata.name}. Use a "
            "new key, or repeat that request unchanged."
        )
    raise NameTaken(f"The Project has another Job named {identity.name}. Choose another name, or delete that Job.")
