"""Requests to the API server and its responses."""

from __future__ import annotations

import msgspec

from chalicelib.domain.failure_reasons import FailureReason  # noqa: TC001 - msgspec reads the annotations

MERGE_PATCH = "application/merge-patch+json"


class ApiRequest(msgspec.Struct, frozen=True):
    """One request to the API server. The names in *path* have been validated."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    content_type: str = "application/json"
    is_proxied: bool = False
    """The API server forwards the request to a node: a failure says nothing about the API server. It does not open the
    circuit breaker, and is not retried if the node did not respond."""


class ApiResponse(msgspec.Struct, frozen=True):
    """The response of the API server; *repeated* if an earlier attempt of the request may have succeeded."""

    status: int
    body: bytes
    retry_after: int | None
    repeated: bool = False


class NoResponse(msgspec.Struct, frozen=True):
    """An attempt that got no response; *reason* is one of the failure reasons."""

    reason: FailureReason


def parameters(**values: str | int | None) -> tuple[tuple[str, str], ...]:
    """Return *values* as the query of an ApiRequest, without None and empty strings."""
    return tuple((name, str(value)) for name, value in values.items() if value not in {None, ""})
