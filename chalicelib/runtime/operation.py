"""The description of an endpoint: the OpenAPI document is generated from it, and requests are checked against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.domain.job.etags import IF_MATCH_PATTERN

if TYPE_CHECKING:
    from chalicelib.domain.errors import ResearcherError

BASE = "/researcher/api/v1"
"""The base path of the API's routes; paths in the OpenAPI document are relative to it."""
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
"""The media type of RFC 7396."""


class Header(msgspec.Struct, frozen=True):
    """A request header."""

    name: str
    description: str
    example: str
    pattern: str = ""
    max_length: int | None = None


IF_MATCH = Header(
    "If-Match",
    "Change the Job only if it still has this `ETag`; otherwise the response is 412.",
    '"4711.9f3a21c0"',
    pattern=IF_MATCH_PATTERN,
)


class SuccessResponse(msgspec.Struct, frozen=True):
    """A successful response. *body* is the type of its body, or None if it has none.

    *other_types* are content types that a request can select with Accept, with an example of each.
    """

    description: str
    body: Any = None
    example: Any = None
    headers: dict[str, str] = {}
    content_type: str = JSON
    other_types: dict[str, str] = {}


class Operation(msgspec.Struct, frozen=True):
    """One endpoint. *query* is a msgspec Struct, *body* a pydantic model or a msgspec type; *body_examples* by summary.

    *body_types* are the media types of the body.
    *errors* are the errors of this endpoint alone. `infra.openapi.responses` adds those of every endpoint, of every
    endpoint with a token, and of every endpoint with a body.
    """

    summary: str
    description: str
    responses: dict[int, SuccessResponse]
    errors: tuple[type[ResearcherError], ...] = ()
    query: Any = None
    headers: tuple[Header, ...] = ()
    body: Any = None
    body_types: tuple[str, ...] = (JSON,)
    body_examples: dict[str, Any] = {}
    tag: str = "Jobs"
