"""The formats of a log that is followed: text, exact bytes, and newline-delimited JSON (NDJSON)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.job.log_stream import LogStream, Piece

TEXT: Final = "text/plain; charset=utf-8"
BYTES: Final = "application/octet-stream"
NDJSON: Final = "application/x-ndjson"
_TYPES = {"application/octet-stream": BYTES, "application/x-ndjson": NDJSON, "text/plain": TEXT}


class LogPart(NamedTuple):
    """Pieces of the log of a pod with this completion index, or None."""

    pod: str
    completion_index: int | None
    pieces: Sequence[Piece]


class LogRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of NDJSON: a line of the log; *partial* if the line continues in the next record of this pod."""

    pod: str
    index: int | None
    time: str | None
    line: str
    partial: bool = False


class GapRecord(msgspec.Struct, frozen=True):
    """A line of NDJSON: here a part of the log is missing. *gap* says why."""

    gap: str


def log_type(accept: str) -> str:
    """Return the content type for the header Accept: the first one of these formats, else text."""
    names = (each.partition(";")[0].strip().lower() for each in accept.split(","))
    return next((_TYPES[name] for name in names if name in _TYPES), TEXT)


def hold_back(stream: LogStream, content_type: str) -> int:
    """Leave what is incomplete for the next response, and return its size in bytes.

    That is of text a character, of NDJSON a line that is still being written.
    """
    if not stream.pieces or stream.pieces[-1].ends_line or content_type == BYTES:
        return 0
    last = stream.pieces[-1].content
    if content_type == NDJSON and not stream.is_full:
        stream.drop_last()
        return len(last)
    size = _incomplete_character(last)
    if not 0 < size < len(last):
        return 0
    stream.trim_last(size)
    return size


def format_log(parts: Sequence[LogPart], gap: str | None, content_type: str, *, timestamps: bool) -> str | bytes:
    """Return the body of a response."""
    if content_type == NDJSON:
        records: list[LogRecord | GapRecord] = [GapRecord(gap)] if gap else []
        records += [_record(part, piece) for part in parts for piece in part.pieces]
        return b"".join(msgspec.json.encode(record) + b"\n" for record in records).decode()
    log = b"".join(
        (f"{piece.time} ".encode() if timestamps and piece.starts_line else b"") + piece.content
        for part in parts
        for piece in part.pieces
    )
    return log if content_type == BYTES else log.decode(errors="replace")


def _record(part: LogPart, piece: Piece) -> LogRecord:
    line = piece.content.removesuffix(b"\n").decode(errors="replace")
    return LogRecord(part.pod, part.completion_index, piece.time or None, line, partial=not piece.ends_line)


def _incomplete_character(content: bytes) -> int:
    """Return the size of the incomplete UTF-8 character at the end of *content*."""
    for size in range(1, min(3, len(content)) + 1):
        byte = content[-size]
        if byte >= 0xC0:  # noqa: PLR2004 - the first byte of a character
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4  # noqa: PLR2004 - RFC 3629
            return size if size < needed else 0
        if byte < 0x80:  # noqa: PLR2004 - ASCII
            return 0
    return 0
