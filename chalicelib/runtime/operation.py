"""What a function tells the OpenAPI document about itself, and checks its own requests against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.domain.job.etags import IF_MATCH_PATTERN

if TYPE_CHECKING:
    from chalicelib.domain.errors import ResearcherError

BASE = "/researcher/api/v1"
"""Where the API's routes begin; paths in the document are relative to it."""


class Header(msgspec.Struct, frozen=True):
    """A request header that a function reads."""

    name: str
    description: str
    example: str
    pattern: str = ""
    max_length: int | None = None


IF_MATCH = Header("If-Match", "The `ETag` the Job must still have.", '"4711.9f3a21c0"', pattern=IF_MATCH_PATTERN)


class SuccessResponse(msgspec.Struct, frozen=True):
    """A successful answer: what it means, the type of its body (None: empty), an example, headers, a content type."""

    description: str
    body: Any = None
    example: Any = None
    headers: dict[str, str] = {}
    content_type: str = "application/json"


class Operation(msgspec.Struct, frozen=True):
    """One endpoint's facts. *query* is a msgspec Struct, *body* a pydantic model or a msgspec type.

    *errors* are its own; those that any endpoint can meet, any with a token and any with a body go without saying.
    """

    summary: str
    description: str
    responses: dict[int, SuccessResponse]
    errors: tuple[type[ResearcherError], ...] = ()
    query: Any = None
    headers: tuple[Header, ...] = ()
    body: Any = None
    body_example: Any = None
    tag: str = "Jobs"
