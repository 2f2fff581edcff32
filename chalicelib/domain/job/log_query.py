"""The query of a log request."""

from __future__ import annotations

from typing import Annotated

import msgspec

from chalicelib.domain.job.log_cursor import CURSOR_PATTERN, MAX_CURSOR
from chalicelib.domain.kubernetes.completion_indexes import MAX_INDEX

MAX_BYTES = 1_000_000
"""A response of Lambda has at most 6 MB of JSON, which escapes a control character or an invalid byte as six."""
MAX_LINES = 100_000
_CONTAINER = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"


class LogQuery(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """The query parameters: which log, and how much of it."""

    tail: Annotated[int, msgspec.Meta(description="Maximum number of lines, from the end.", ge=1, le=MAX_LINES)] = 1000
    since_seconds: (
        Annotated[int, msgspec.Meta(description="Only lines newer than this many seconds.", ge=1, le=31_536_000)] | None
    ) = None
    limit_bytes: Annotated[
        int, msgspec.Meta(description="Maximum number of bytes, from the end.", ge=1, le=MAX_BYTES)
    ] = 262_144
    index: (
        Annotated[
            int, msgspec.Meta(description="The completion index of the pod, in an Indexed Job.", ge=0, le=MAX_INDEX)
        ]
        | None
    ) = None
    container: (
        Annotated[
            str,
            msgspec.Meta(
                description="The container; by default the one that runs the program.",
                pattern=_CONTAINER,
                max_length=63,
                extra={"rule": "must be the name of a container: lower-case letters, digits and inner hyphens"},
            ),
        ]
        | None
    ) = None
    previous: Annotated[
        bool,
        msgspec.Meta(
            description="The previous attempt: the container before its restart, else the last other failed pod."
        ),
    ] = False
    timestamps: Annotated[bool, msgspec.Meta(description="Begin each line with its timestamp.")] = False
    cursor: (
        Annotated[
            str,
            msgspec.Meta(
                description="Follow the log: `start`, or `X-Next-Cursor` of the previous response.",
                pattern=CURSOR_PATTERN,
                extra={"rule": "must be the X-Next-Cursor of an earlier response, unchanged, or `start`"},
                max_length=MAX_CURSOR,
            ),
        ]
        | None
    ) = None
    wait: Annotated[
        int,
        msgspec.Meta(description="Seconds to wait for more of a log that is followed.", ge=0, le=25),
    ] = 0

    @property
    def is_following(self) -> bool:
        """Whether the log is read on from a place in it."""
        return self.cursor is not None or self.wait > 0
