"""Tests of reading on in a log; tests/unit/usecases/test_follow_log.py has the properties."""

from __future__ import annotations

import pytest

from chalicelib.domain.job import log_stream
from chalicelib.domain.job.log_stream import LogStream, Place

TIME = "2026-11-24T10:00:00.000000000Z"


def fed(log: bytes, place: Place | None = None, limit: int = 1000, size: int = 7) -> LogStream:
    """Return a stream after the chunks of *log* of this *size*."""
    stream = LogStream(place, limit)
    for start in range(0, len(log), size):
        if not stream.feed(log[start : start + size]):
            break
    return stream


class TestPlace:
    """Tests of Place."""

    @pytest.mark.parametrize(
        ("time", "since"),
        [
            (TIME, "2026-11-24T09:59:58Z"),
            ("2026-11-24T10:00:00.5+02:00", "2026-11-24T07:59:58Z"),
            ("", None),
            ("0001-01-01T00:00:00Z", None),
            ("0002-01-01T00:00:00Z", None),
            ("2026-99-99T00:00:00Z", None),
        ],
    )
    def test_since(self, time: str, since: str | None) -> None:
        """The kubelet begins shortly before the line; without a valid timestamp it sends the whole log."""
        assert Place(time, 1, 1, 0).since == since


class TestFeed:
    """Tests of feed."""

    @pytest.mark.parametrize(
        "line",
        [b"no timestamp\n", b"\n", b"2026-11-24 10:00:00 no\n", b"x" * 100 + b"\n", TIME.encode() + b"\n", b" a\n"],
    )
    @pytest.mark.parametrize("size", [1, 3, 1000])
    def test_line_without_timestamp(self, line: bytes, size: int) -> None:
        """It is sent as it is, and the stream goes on behind it."""
        stream = fed(line + TIME.encode() + b" two\n", size=size)

        assert b"".join(piece.content for piece in stream.pieces) == line + b"two\n"
        assert {piece.time for piece in stream.pieces} == {"", TIME}
        again = fed(line + TIME.encode() + b" two\n" + TIME.encode() + b" three\n", stream.end, size=size)
        assert b"".join(piece.content for piece in again.pieces) == b"three\n"

    def test_many_short_lines(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A response has a limited number of lines, and the memory for their timestamps is bounded."""
        monkeypatch.setattr(log_stream, "MAX_PIECES", 10)
        monkeypatch.setattr(log_stream, "MAX_TIMES", 3)
        lines = [f"2026-11-24T10:00:{second:02}.000000000Z a\n".encode() for second in range(30)]

        stream = fed(b"".join(lines))

        assert (len(stream.pieces), stream.is_full) == (10, True)
        assert fed(b"".join(lines), stream.end).pieces[0].time.startswith("2026-11-24T10:00:10")

    def test_search_ends(self) -> None:
        """A place that is far away is not searched for in the whole log, unless that is wanted."""
        log = f"{TIME} {'x' * 50}\n".encode()
        place = Place("2026-11-24T11:00:00Z", 1, 1, 0)
        stream = LogStream(place, 100, max_skipped=10)

        assert (stream.feed(log), stream.is_far) == (False, True)
        stream.search_all()
        assert (stream.feed(log), stream.is_far) == (True, False)
