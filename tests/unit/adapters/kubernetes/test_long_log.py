"""Follow a long log over a hostile connection: no byte is lost or repeated without a mark, in bounded memory."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec

from tests.support.log_follower import Answer, Poll
from tests.support.log_writer import LogWriter

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = int(os.environ.get("LOG_MEGABYTES", "64")) * 1_000_000
"""How much is printed."""
ATTEMPTS = 3
FILE_BYTES = 10 * 2**20
MAX_MEGABYTES = 100


class Follower:
    """Follows the log of *writer* in another process."""

    def __init__(self, writer: LogWriter, process: subprocess.Popen[bytes]) -> None:
        self.gaps = self.missing = self.failures = 0
        self.last = Answer("start")
        self._writer = writer
        self._process = process
        self._is_after_gap = False

    def poll(self, limit: int) -> int:
        """Send one request, and return how many bytes were received."""
        assert self._process.stdin
        assert self._process.stdout
        poll = Poll(self._writer.job, self._writer.pods, self.last.cursor, limit)
        self._process.stdin.write(msgspec.json.encode(poll) + b"\n")
        self._process.stdin.flush()
        self.last = msgspec.json.decode(self._process.stdout.readline(), type=Answer)
        body = self._process.stdout.read(self.last.size)
        assert len(body) <= limit
        self._is_after_gap |= self.last.gap is not None
        if body:
            self.missing += self._writer.receive(body, is_after_gap=self._is_after_gap)
            self._is_after_gap = False
        self.gaps += self.last.gap is not None
        self.failures += self.last.failed
        return len(body)

    def catch_up(self) -> None:
        """Send requests until nothing is unread."""
        while self._writer.unread:
            self.poll(1_000_000)


def run_attempt(writer: LogWriter, follower: Follower, size: int) -> None:
    """Write *size* bytes with a restart, rotations and steps of the clock, and read them at the same time."""
    end = writer.written + size
    events: list[Callable[[], None]] = [writer.rotate, lambda: writer.set_clock(1), follower.catch_up]
    is_restarted = False
    while writer.written < end:
        for _ in range(writer.random.randint(1, 12)):
            writer.write()
        follower.poll(writer.random.choice([5_000, 300_000, 1_000_000, 1_000_000]))
        if writer.is_read and (writer.random.random() < 0.3 or writer.written - writer.file_start > FILE_BYTES):
            writer.random.choice(events)()
        if writer.written > end - size // 2 and not is_restarted:
            is_restarted = True
            follower.catch_up()
            writer.set_clock(-2)
            writer.restart()
    follower.catch_up()


def test_long_log() -> None:
    """What arrives is what was printed, except for what was rotated away; the memory stays below 100 MB."""
    with LogWriter(1) as writer:
        command = [sys.executable, "-m", "tests.support.log_follower", writer.url]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            follower = Follower(writer, process)
            for _ in range(ATTEMPTS):
                writer.start_pod()
                run_attempt(writer, follower, SIZE // ATTEMPTS)
            writer.finish()
            while not follower.last.is_complete:
                follower.poll(1_000_000)
            assert process.stdin
            process.stdin.close()

    assert (writer.position, bytes(writer.unread)) == (writer.written, b"")
    assert follower.gaps
    assert follower.missing
    assert follower.last.megabytes < MAX_MEGABYTES
