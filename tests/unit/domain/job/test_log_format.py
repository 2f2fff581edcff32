"""Tests of the formats of a log that is followed."""

from __future__ import annotations

import pytest

from chalicelib.domain.job.log_format import BYTES, NDJSON, TEXT, LogPart, format_log, hold_back, log_type
from chalicelib.domain.job.log_stream import LogStream, Piece

TIME = "2026-11-24T10:00:00.000000000Z"
PARTIAL = '{"pod":"p","index":null,"time":null,"line":"b","partial":true}'


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/html, application/x-ndjson;q=0.9", NDJSON),
        ("Application/Octet-Stream", BYTES),
        ("text/plain, application/octet-stream", TEXT),
    ],
)
def test_log_type(accept: str, expected: str) -> None:
    """The first format that the caller accepts is used, by default text."""
    assert log_type(accept) == expected


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (TEXT, f"{TIME} a\ufffd\nb"),
        (BYTES, f"{TIME} a".encode() + b"\xff\nb"),
        (
            NDJSON,
            f'{{"gap":"rotated"}}\n{{"pod":"p","index":null,"time":"{TIME}","line":"a\ufffd"}}\n{PARTIAL}\n',
        ),
    ],
)
def test_format_log(content_type: str, expected: str | bytes) -> None:
    """Bytes are exact; text and NDJSON replace invalid UTF-8; NDJSON has a record for a gap."""
    part = LogPart("p", None, [Piece(TIME, b"a\xff\n", starts_line=True), Piece("", b"b", starts_line=False)])

    assert format_log([part], "rotated", content_type, timestamps=content_type != NDJSON) == expected


@pytest.mark.parametrize(
    ("content", "content_type", "held"),
    [
        (b"a\n", TEXT, 0),
        ("aä".encode()[:-1], TEXT, 1),
        ("a€".encode()[:-1], TEXT, 2),
        ("a😀".encode()[:-1], TEXT, 3),
        ("a😀".encode(), TEXT, 0),
        (b"a\x80\x80\x80\x80", TEXT, 0),
        (b"\xe2", TEXT, 0),
        (b"abc", TEXT, 0),
        ("aä".encode()[:-1], BYTES, 0),
        (b"line", NDJSON, 4),
    ],
)
def test_hold_back(content: bytes, content_type: str, held: int) -> None:
    """An incomplete character, or line, is left for the next response, which has it whole."""
    stream = LogStream(None, 100)
    stream.feed(f"{TIME} ".encode() + content)

    assert hold_back(stream, content_type) == held

    sent = sum(len(piece.content) for piece in stream.pieces)
    again = LogStream(stream.end, 100)
    again.feed(f"{TIME} ".encode() + content + b"!\n")
    assert (sent, b"".join(piece.content for piece in again.pieces)) == (len(content) - held, content[sent:] + b"!\n")


def test_nothing_to_hold_back() -> None:
    """An empty log has no line."""
    assert hold_back(LogStream(None, 100), NDJSON) == 0
