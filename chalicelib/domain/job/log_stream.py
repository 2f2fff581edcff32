"""Read on in a log, in bounded memory: find the place where the last response ended, and take the bytes that follow.

The kubelet begins each line with its timestamp. A place in a log is the timestamp of a line, how many lines with this
timestamp there were until it, and how many bytes of it were sent, with their checksum. It does not depend on the order
of the timestamps, so that a clock that was set back, or many lines in the same instant, neither repeat nor lose a line.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple
from zlib import crc32

import msgspec

MAX_HEAD = 36
"""Characters of the longest timestamp, with nanoseconds and the offset of its time zone, and the space behind it."""
MAX_PIECES = 20_000
MAX_TIMES = 50_000
"""How many timestamps are counted at once."""
MARGIN = timedelta(seconds=2)
"""How much earlier than the last line the kubelet begins: a clock that is set back by less does not hide lines."""
TIME_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[-+][0-9]{2}:[0-9]{2})$"
_TIME = re.compile(TIME_PATTERN.encode())

Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a response ended: *offset* bytes of the *count*-th line with this *time* were sent; `crc` is of these."""

    time: Annotated[str, msgspec.Meta(pattern=f"{TIME_PATTERN[:-1]}\\Z|^\\Z")]
    count: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    offset: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    crc: Number

    @property
    def since(self) -> str | None:
        """The `sinceTime` from which the kubelet returns the line; None if the line has no valid timestamp."""
        try:
            time = datetime.fromisoformat(self.time).astimezone(UTC) - MARGIN
        except (ValueError, OverflowError):
            return None
        return f"{time:%Y-%m-%dT%H:%M:%SZ}" if time.year >= 1000 else None  # noqa: PLR2004 - %Y has no leading zeros


class Piece(NamedTuple):
    """A line with its line break, or a part of one: of a long line, or of one that is still being written."""

    time: str
    content: bytes
    starts_line: bool

    @property
    def ends_line(self) -> bool:
        """Whether the line is complete with this piece."""
        return self.content.endswith(b"\n")


class LogStream:
    """Takes at most *limit* bytes behind *place* from the chunks of a log; without a place, from its beginning."""

    def __init__(self, place: Place | None, limit: int, max_skipped: int | None = None) -> None:
        self._limit = limit
        self._max_skipped = max_skipped
        self.restart(place)

    def search_all(self) -> None:
        """Forget all chunks, and search the whole log for the place."""
        self._max_skipped = None
        self.restart(self.place)

    def begin_after_line(self) -> None:
        """Forget all chunks, and begin with the second line: the first one may be the end of a line that was sent."""
        self._max_skipped = None
        self.restart(None, skips_line=True)

    def repeat(self) -> None:
        """Forget all chunks, and begin again in the same way."""
        self.restart(self.place, skips_line=self._skips_line)

    def restart(self, place: Place | None, *, skips_line: bool = False) -> None:
        """Forget all chunks, and begin again at *place*, or with the second line."""
        self.place = place
        self._skips_line = skips_line
        self.found = place is None and not skips_line
        self.pieces: list[Piece] = []
        self.end = place
        self.last_time = ""
        """The timestamp of the last line that was read."""
        self.other_count: int | None = None
        """The count of a line that is that of the place in everything else: earlier ones may have been rotated away."""
        self._before_last = place
        self._before_end = Place("", 1, 1, 0)
        self._size = self.skipped = 0
        self._head: bytes | None = b""
        self._counts: dict[str, int] = {}
        self._offset = self._crc = 0

    @property
    def is_full(self) -> bool:
        """Whether the limit is reached, and more of the log may follow."""
        return self._size >= self._limit or (len(self.pieces) >= MAX_PIECES and self.pieces[-1].ends_line)

    @property
    def is_far(self) -> bool:
        """Whether the place was not found among the first bytes of the log, so that the search ended."""
        return not self.found and self._max_skipped is not None and self.skipped > self._max_skipped

    def has_read(self, time: str) -> bool:
        """Return whether a line with this timestamp was read."""
        return time in self._counts

    def feed(self, chunk: bytes) -> bool:
        """Take the next chunk; return whether another one is needed."""
        start = 0
        while start < len(chunk) and not self.is_full and not self.is_far:
            if self._head is not None:
                start = self._take_head(self._head, chunk, start)
            else:
                end = chunk.find(b"\n", start) + 1 or len(chunk)
                self._take(chunk[start:end])
                start = end
        return not self.is_full and not self.is_far

    def drop_last(self) -> None:
        """Remove the last piece, so that the next response begins with it."""
        self.pieces.pop()
        self.end = self._before_last

    def trim_last(self, size: int) -> None:
        """Remove the last *size* bytes of the last piece, which is longer."""
        piece, end = self.pieces[-1], self._before_end
        kept = piece.content[:-size]
        self.pieces[-1] = piece._replace(content=kept)
        self.end = Place(end.time, end.count, end.offset + len(kept), crc32(kept, end.crc))

    def _take_head(self, head: bytes, chunk: bytes, start: int) -> int:
        """Take a part of the timestamp at *start*, and return its end; what is no timestamp belongs to the line."""
        part = chunk[start : start + MAX_HEAD - len(head)]
        ends = [end for end in (part.find(b" "), part.find(b"\n")) if end >= 0]
        size = min(ends) + 1 if ends else len(part)
        head += part[:size]
        if not ends and len(head) < MAX_HEAD:
            self._head = head
            return start + size
        is_time = head.endswith(b" ") and _TIME.fullmatch(head[:-1]) is not None
        self._begin(head[:-1].decode() if is_time else "")
        if not is_time:
            self._take(head)
        return start + size

    def _begin(self, time: str) -> None:
        self.last_time = time
        self._head, self._offset, self._crc = None, 0, 0
        if len(self._counts) >= MAX_TIMES:
            del self._counts[next(iter(self._counts))]
        self._counts[time] = self._counts.get(time, 0) + 1

    def _take(self, part: bytes) -> None:
        """Take a part of the current line."""
        if part.endswith(b"\n"):
            self._head = b""
        if not self.found:
            self.skipped += len(part)
            part = self._seek(part)
        taken = part[: self._limit - self._size] if self.found else b""
        if taken:
            self._append(taken)

    def _append(self, taken: bytes) -> None:
        count = self._counts[self.last_time]
        if self.pieces and self._offset and not self.pieces[-1].ends_line:
            self.pieces[-1] = self.pieces[-1]._replace(content=self.pieces[-1].content + taken)
        else:
            self.pieces.append(Piece(self.last_time, taken, self._offset == 0))
            self._before_last, self._before_end = self.end, Place(self.last_time, count, self._offset, self._crc)
        self._offset += len(taken)
        self._crc = crc32(taken, self._crc)
        self._size += len(taken)
        self.end = Place(self.last_time, count, self._offset, self._crc)

    def _seek(self, part: bytes) -> bytes:
        """Return what follows of *part* after the place; nothing if that is not in it."""
        place = self.place
        if place is None:
            self.found = part.endswith(b"\n")
            return b""
        if self.last_time != place.time or self._offset >= place.offset:
            return b""
        known = part[: place.offset - self._offset]
        self._crc = crc32(known, self._crc)
        self._offset += len(known)
        if (self._offset, self._crc) == (place.offset, place.crc):
            count = self._counts[self.last_time]
            self.found = count == place.count
            self.other_count = count
        return part[len(known) :] if self.found else b""
