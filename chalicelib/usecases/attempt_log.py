"""Read on in the log of one attempt of a Job, although connections break and files are rotated.

The API server does not report that its connection to the kubelet broke: the response ends as if the log did. A place
that is not found, and the end of a log, are therefore confirmed by the timestamp of the last line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from chalicelib.domain.job.log_stream import LogStream

if TYPE_CHECKING:
    from chalicelib.domain.job.log_attempts import Attempt
    from chalicelib.domain.names import ProjectName
    from chalicelib.usecases.ports import LogReader

SEARCHED_BYTES = 262_144
"""So many bytes of a log are searched for the place in the cursor, before the kubelet has to begin at its time."""


class AttemptLog:
    """The log of *attempt*, of which at most *limit* bytes are read; what was rotated away is skipped if it *may_skip*.

    `gap` says why something is missing.
    """

    def __init__(self, project: ProjectName, attempt: Attempt, logs: LogReader, limit: int, *, may_skip: bool) -> None:
        self.gap: str | None = None
        self._project = project
        self._attempt = attempt
        self._logs = logs
        self._limit = limit
        self._may_skip = may_skip

    def read(self) -> tuple[LogStream, bool]:
        """Return what follows the place in the log, and whether it was read to its end."""
        place = self._attempt.cursor.place
        stream = LogStream(place, self._limit, SEARCHED_BYTES)
        is_whole = self._feed(stream)
        if place is None or not is_whole or not stream.is_far:
            return self._after_gap(stream, is_whole=is_whole)
        stream.search_all()
        is_whole = self._feed(stream, place.since)
        if not is_whole:
            return stream, False
        if stream.found and not stream.pieces and self._last_time() != place.time:
            # The clock of the node was set back: the kubelet hides lines that are older than sinceTime.
            stream.restart(place)
            is_whole = self._feed(stream)
        return self._after_gap(stream, is_whole=is_whole)

    def is_end(self, stream: LogStream) -> bool:
        """Return whether the log ends where *stream* ended: at the last line, or where nothing follows twice."""
        if stream.pieces and not stream.pieces[-1].ends_line:
            return False
        if self._last_time() == stream.last_time:
            return True
        again = LogStream(stream.end, 1)
        return not stream.pieces and self._feed(again) and again.found and not again.pieces

    def _after_gap(self, stream: LogStream, *, is_whole: bool) -> tuple[LogStream, bool]:
        """Return *stream* if it found its place; else read what the kubelet has, which comes after a gap."""
        place = stream.place
        if not is_whole or stream.found or place is None:
            return stream, is_whole
        if not self._may_skip or not self._is_lost(stream):
            return stream, False
        self.gap = "rotated"
        if stream.other_count:
            # Of many lines in the same instant, the last one that may be that of the place: none is repeated.
            stream.restart(replace(place, count=stream.other_count))
        else:
            stream.begin_after_line()
        return stream, self._feed(stream)

    def _is_lost(self, stream: LogStream) -> bool:
        """Search the log until its last line, or twice until the same byte; return whether it has no place of *stream*.

        Parts of a long line have timestamps of their own, with which no line begins.
        """
        last = self._last_time()
        sizes = []
        for _ in range(2):
            stream.search_all()
            if not self._feed(stream) or stream.found:
                return False
            if last and stream.has_read(last):
                return True
            sizes.append(stream.skipped)
        return sizes[0] == sizes[1] and (bool(last) or self._attempt.is_final)

    def _feed(self, stream: LogStream, since: str | None = None) -> bool:
        return self._logs.read(self._project, self._attempt.run, since, stream)

    def _last_time(self) -> str:
        return self._logs.last_time(self._project, self._attempt.run)
