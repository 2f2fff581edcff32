"""The cursor of a log that is followed: the attempt that is read, and the place in its log.

It is not trusted: its pod is looked up among those of the Job, and its place is only compared with the log.
"""

from __future__ import annotations

import base64
from typing import Annotated, Literal

import msgspec

from chalicelib.domain.errors import FieldError, MalformedRequest
from chalicelib.domain.job.log_stream import Number, Place  # noqa: TC001 - msgspec reads the annotations at run time

START = "start"
"""The cursor of the beginning of a log."""
MAX_CURSOR = 4096
MAX_PASSED = 64
CURSOR_PATTERN = "^[-_A-Za-z0-9]+$"


class LogCursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The attempt *attempt* of *pod*, which was *created* then; *is_read* if its log is complete.

    `passed` are the checksums of the names of pods that were created in the same second and were read before.
    """

    version: Literal[1]
    pod: Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
    created: Number
    attempt: Number
    is_read: bool = False
    place: Place | None = None
    passed: Annotated[tuple[Number, ...], msgspec.Meta(max_length=MAX_PASSED)] = ()


def encode_cursor(cursor: LogCursor | None) -> str:
    """Return the text of *cursor*; None is the beginning of the log."""
    if cursor is None:
        return START
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def parse_cursor(text: str) -> LogCursor | None:
    """Return the cursor, None for the beginning of the log; MalformedRequest if *text* is no cursor of this API."""
    if text == START:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=LogCursor)
    except (ValueError, RecursionError) as error:
        message = "must be `start`, or X-Next-Cursor of an earlier response"
        raise MalformedRequest("The cursor is invalid.", (FieldError("/cursor", message),)) from error
