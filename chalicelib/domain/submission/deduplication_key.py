"""How repetitions of a request are recognized: not at all, by an Idempotency-Key, or by the version of an S3 object."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from chalicelib.domain.errors import (
    FieldError,
    MalformedRequest,
)

MAX_KEY = 255


@dataclass(frozen=True)
class UniqueRequest:
    """A request without a key: only retries within the request itself share its nonce."""

    nonce: str


@dataclass(frozen=True)
class IdempotencyKey:
    """A request with an Idempotency-Key. *nonce* is random for each delivery and excluded from equality."""

    text: str
    nonce: str = field(default="", compare=False)


@dataclass(frozen=True)
class ObjectVersion:
    """An upload: one version of an S3 object, however many events S3 sends for it."""

    bucket: str
    key: str
    version: str

    @property
    def nonce(self) -> str:
        """A hash of the version, so that each version creates at most one Job."""
        return length_prefixed_hash(self.bucket.encode(), self.key.encode(), self.version.encode())


DeduplicationKey = UniqueRequest | IdempotencyKey | ObjectVersion
"""The property by which repetitions of a request are recognized."""


def require_valid_key(key: str) -> str:
    """Return *key*; raise MalformedRequest if it is not a valid Idempotency-Key."""
    if not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        message = f"must have 1 to {MAX_KEY} printable ASCII characters"
        raise MalformedRequest("The Idempotency-Key header is invalid.", (FieldError("/Idempotency-Key", message),))
    return key


def length_prefixed_hash(*parts: bytes) -> str:
    """Return the SHA-256 of *parts*, each prefixed with its length so that different lists never collide."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
