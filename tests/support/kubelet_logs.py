"""A kubelet's logs in memory: timestamps, `sinceTime`, rotation, restarts, and connections that break.

The log of a container is a list of entries, as a container runtime writes them: a long line is several entries. The
kubelet serves those since the last rotation, and begins each line with the timestamp of its first entry that it serves.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from chalicelib.domain.errors import JobNotStarted, LogGone, ResearcherError

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from chalicelib.domain.job.log_stream import LogStream
    from chalicelib.domain.job.logs import ContainerRun
    from chalicelib.domain.names import ProjectName


class Entry(NamedTuple):
    """A line, or a part of a long one."""

    time: datetime
    content: bytes


class ContainerLog:
    """The log of one run of a container; *rotated* entries are not served any more."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.rotated = 0
        self.was_read = False

    @property
    def content(self) -> bytes:
        """Everything that was written."""
        return b"".join(entry.content for entry in self.entries)

    def served(self, since: datetime | None = None, tail: int | None = None, hidden: int = 0) -> Iterator[bytes]:
        """Yield what a kubelet returns with timestamps."""
        entries = self.entries[self.rotated : len(self.entries) - hidden]
        starts_line = True
        for entry in entries if tail is None else entries[-tail:]:
            if since is None or entry.time >= since:
                yield (f"{timestamp(entry.time)} ".encode() if starts_line else b"") + entry.content
                starts_line = entry.content.endswith(b"\n")


class KubeletLogs:
    """Implements LogReader: the logs by pod and number of the attempt; connections break with *breaks* probability."""

    def __init__(self, randomness: random.Random, breaks: float = 0.0) -> None:
        self.logs: dict[str, list[ContainerLog]] = {}
        self.waits: list[ContainerRun] = []
        self.errors: dict[str, ResearcherError] = {}
        """The errors of logs, by pod."""
        self.hidden = 0
        """How many entries at the end are missing in the next response: a connection breaks without an error."""
        self.is_waiting_long = False
        """Whether there is time to wait."""
        self._random = randomness
        self._breaks = breaks

    def read(self, project: ProjectName, run: ContainerRun, since: str | None, stream: LogStream) -> bool:
        """Feed the log in chunks of random sizes."""
        del project
        hidden, self.hidden = self.hidden, 0
        served = b"".join(self._log(run).served(datetime.fromisoformat(since) if since else None, hidden=hidden))
        while served:
            if self._random.random() < self._breaks:
                return False
            size = self._random.randint(1, 200)
            more = stream.feed(served[:size])
            self._log(run).was_read |= bool(stream.pieces)
            if not more:
                return True
            served = served[size:]
        return True

    def last_time(self, project: ProjectName, run: ContainerRun) -> str:
        """Return the timestamp of the last entry."""
        del project
        return b"".join(self._log(run).served(tail=1)).partition(b" ")[0].decode()

    def wait(self, project: ProjectName, run: ContainerRun, stream: LogStream) -> bool:
        """Return at once, the first time that there may be more if *is_waiting_long*."""
        del project, stream
        self.waits.append(run)
        return self.is_waiting_long and len(self.waits) == 1

    def _log(self, run: ContainerRun) -> ContainerLog:
        if run.pod in self.errors:
            raise self.errors[run.pod]
        if run.pod not in self.logs:
            raise LogGone("gone")
        attempts = self.logs[run.pod]
        if run.restarted and len(attempts) < 2:
            raise JobNotStarted("previous terminated container not found")
        return attempts[-2 if run.restarted else -1]


def timestamp(time: datetime) -> str:
    """Return *time* in the format of a kubelet."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"


def later(time: datetime, randomness: random.Random) -> datetime:
    """Return the time of the next line: often the same instant or second, sometimes after the clock was set."""
    kind = randomness.random()
    if kind < 0.5:
        return time
    if kind < 0.9:
        return time + timedelta(microseconds=randomness.randint(1, 1_500_000))
    return time + timedelta(seconds=randomness.randint(-5000, 5000))
