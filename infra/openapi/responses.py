"""The responses of an operation in the OpenAPI document: its own, and the errors that every operation can return."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.domain.errors import (
    BadGateway,
    BodyTooLarge,
    ClusterUnavailable,
    CredentialsUnavailable,
    DeadlineExceeded,
    FieldError,
    Forbidden,
    InternalError,
    InvalidJob,
    IssuerUnavailable,
    JobBeingDeleted,
    JobCleanedUp,
    MalformedRequest,
    NodeUnavailable,
    Overloaded,
    Problem,
    ResearcherError,
    StorageUnavailable,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMediaType,
)
from chalicelib.domain.finished.receipt import EXAMPLE
from chalicelib.domain.job.log_cursor import MAX_CURSOR
from chalicelib.functions.openapi import PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.runtime.operation import Operation, SuccessResponse
    from infra.openapi.schemas import Schemas

JsonObject = dict[str, Any]
Error = type[ResearcherError]

ALWAYS: tuple[Error, ...] = (
    MalformedRequest, TooManyRequests, InternalError, BadGateway, Overloaded, DeadlineExceeded,
)  # fmt: skip
"""Errors of every operation, most of them from API Gateway."""
WITH_TOKEN: tuple[Error, ...] = (
    Unauthenticated,
    Forbidden,
    ClusterUnavailable,
    CredentialsUnavailable,
    IssuerUnavailable,
)
"""Errors of every operation that verifies a token and sends requests to the cluster."""
WITH_BODY: tuple[Error, ...] = (BodyTooLarge, UnsupportedMediaType, InvalidJob)

REQUEST_ID = "0f2ab1c4-6a0b-4d5b-9a35-54d9e1c5f7a1"
HEADERS: dict[str, JsonObject] = {
    "X-Request-Id": {
        "description": "The id of this request in the logs.",
        "required": True,
        "schema": {"type": "string", "minLength": 1, "maxLength": 128},
        "example": REQUEST_ID,
    },
    "ETag": {
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9]+[.][0-9a-f]{8}"$', "maxLength": 64},
        "example": '"4711.9f3a21c0"',
    },
    "Location": {
        "required": True,
        "schema": {"type": "string", "format": "uri-reference", "maxLength": 2048},
        "example": "/researcher/api/v1/jobs/team-a/train-1",
    },
    "X-Pod-Name": {
        "schema": {"type": "string", "minLength": 1, "maxLength": 253},
        "example": "train-1-x7k2p",
    },
    "X-Next-Cursor": {
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_CURSOR},
        "example": "WzEsInRyYWluLTEteDdrMnAiLDE3OTU1MTA4MDAsMCxmYWxzZSxudWxsLFtdXQ",
    },
    "X-Log-Complete": {"schema": {"type": "string", "pattern": "^(true|false)$", "maxLength": 5}, "example": "true"},
    "X-Log-Gap": {"schema": {"type": "string", "minLength": 1, "maxLength": 64}, "example": "rotated"},
    "Idempotent-Replayed": {"schema": {"type": "string", "const": "true"}},
    "Retry-After": {
        "description": "Seconds to wait before trying again.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 3600},
    },
    "WWW-Authenticate": {
        "description": 'The authentication scheme; `error="invalid_token"` if a token was sent (RFC 6750). '
        "API Gateway renames this header to `x-amzn-Remapped-WWW-Authenticate`.",
        "schema": {"type": "string", "maxLength": 256},
        "example": 'Bearer realm="researcher", error="invalid_token"',
    },
}
"""The response headers. Those without a description have one in each operation."""
_HEADER: dict[Error, str] = {
    Unauthenticated: "WWW-Authenticate",
    JobBeingDeleted: "Retry-After",
    TooManyRequests: "Retry-After",
    ClusterUnavailable: "Retry-After",
    NodeUnavailable: "Retry-After",
    CredentialsUnavailable: "Retry-After",
    IssuerUnavailable: "Retry-After",
    StorageUnavailable: "Retry-After",
}
_FIELDS: dict[Error, tuple[FieldError, ...]] = {
    MalformedRequest: (FieldError("/limit", "must be at most 500"),),
    InvalidJob: (FieldError("/job/gpu", "must be at most 64"),),
}


_MEMBERS: dict[Error, dict[str, Any]] = {JobCleanedUp: {"receipt": EXAMPLE}}
"""Additional arguments of an error's constructor."""


class Responses:
    """The responses of all operations; error responses are shared components."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._errors: dict[str, JsonObject] = {}

    @property
    def components(self) -> dict[str, JsonObject]:
        """All error responses so far, by the names of their errors."""
        return dict(sorted(self._errors.items()))

    def of(self, operation: Operation, *, takes_token: bool) -> JsonObject:
        """Return all responses of *operation* by status."""
        responses = {str(status): self._success(success) for status, success in operation.responses.items()}
        errors = {*operation.errors, *ALWAYS, *(WITH_TOKEN * takes_token), *(WITH_BODY * bool(operation.body))}
        by_status = defaultdict(list)
        for error in sorted(errors, key=lambda error: error.code):
            by_status[str(error.status)].append(error)
        responses |= {status: self._error(same_status) for status, same_status in by_status.items()}
        return dict(sorted(responses.items()))

    def _success(self, success: SuccessResponse) -> JsonObject:
        own = {name: {"description": text, **HEADERS[name]} for name, text in success.headers.items()}
        response = {"description": success.description, "headers": _headers(["X-Request-Id"]) | own}
        if success.body is None:
            return response
        examples = {success.content_type: success.example, **success.other_types}
        schema = self._schemas.response(success.body)
        content = {
            kind: {"schema": schema} | ({} if example is None else {"example": example})
            for kind, example in examples.items()
        }
        return {**response, "content": content}

    def _error(self, errors: list[Error]) -> JsonObject:
        name = "Or".join(error.__name__ for error in errors)
        headers = ["X-Request-Id", *(_HEADER[error] for error in errors if error in _HEADER)]
        examples = {error.code: {"summary": error.title, "value": _example(error)} for error in errors}
        self._errors[name] = {
            "description": " ".join(f"`{error.code}`: {_sentence(error)}" for error in errors),
            "headers": _headers(headers),
            "content": {"application/problem+json": {"schema": self._schemas.response(Problem), "examples": examples}},
        }
        return {"$ref": f"#/components/responses/{name}"}


def _example(error: Error) -> object:
    return msgspec.to_builtins(
        error(_sentence(error), _FIELDS.get(error, ()), **_MEMBERS.get(error, {})).problem(
            REQUEST_ID, PLACEHOLDER + "/docs"
        )
    )


def _sentence(error: Error) -> str:
    return (error.__doc__ or "").strip()


def _headers(names: Iterable[str]) -> dict[str, JsonObject]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
