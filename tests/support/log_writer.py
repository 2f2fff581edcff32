"""A Job that prints megabytes, and a hostile connection to its log: cuts, early ends, delays, errors, clock steps."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl, urlsplit

from chalicelib.domain.kubernetes.jobs import Condition, Container
from chalicelib.domain.kubernetes.pods import ContainerState, ContainerStatus, Pod, PodStatus, Running, Terminated
from infra.local.http_server import Handler, LoopbackServer
from infra.local.wire import HttpResponse
from tests.support.builders import NOW, job, pod
from tests.support.kubelet_logs import ContainerLog, Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.wire import Headers

ENTRY_BYTES = 16_384
"""A container runtime splits longer lines."""
LENGTHS = [0, 10, 80, 80, 80, 4_000, 60_000, 200_000, 1_000_000]
FAULTS = 0.15


class LogWriter(Handler):
    """The Job and its pods, and the API server that serves their logs, inside the context.

    `unread` has the bytes that the follower has not received, from the offset `position` on.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.job, self.pods = job(), list[Pod]()
        self.unread, self.position, self.written = bytearray(), 0, 0
        self.file_start = 0
        """The offset of the first byte that the kubelet serves of the latest run."""
        self.first_line_end = 0
        """The offset of the end of the first line there."""
        self._clock = NOW
        self._lines = 0
        self._letters = self.random.randbytes(2_000_000).replace(b"\n", b"x")
        self._runs: dict[str, list[ContainerLog]] = {}
        self._faults = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def __enter__(self) -> Self:
        """Start listening."""
        with ExitStack() as stack:
            server = LoopbackServer(self)
            stack.callback(server.close)
            self.url = server.url
            self._open = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._open.close()

    @property
    def is_read(self) -> bool:
        """Whether the follower has read a part of the latest run, so that a rotation can be recognized."""
        return self.position > self._run_start

    def start_pod(self) -> None:
        """End the pod, and create its replacement."""
        if self.pods:
            self._end_container()
        name = f"train-1-{len(self.pods)}"
        status = PodStatus(container_statuses=[ContainerStatus(name="main", restart_count=0)])
        created = NOW + timedelta(seconds=len(self.pods))
        self.pods.append(
            pod("Running", name=name, creation_timestamp=created, status=status, containers=[Container(name="main")])
        )
        self._runs[name] = []
        self._start_container()

    def restart(self) -> None:
        """End the container, and start it again in its pod."""
        status = self.pods[-1].status.container_statuses[0]
        status.last_state = ContainerState(terminated=Terminated(exit_code=1))
        status.restart_count = 1
        self._start_container()

    def finish(self) -> None:
        """End the pod and the Job."""
        self._end_container()
        self.job.status.conditions = [Condition(type="Failed", status="True")]

    def write(self) -> None:
        """Print a line of a random length, long ones in parts; the clock goes on, or repeats the same instants."""
        self._clock += timedelta(milliseconds=self.random.choice([0, 0, 1, 900]))
        start, length = self.random.randrange(1_000_000), self.random.choice(LENGTHS)
        line = b"%d %b\n" % (self._lines, self._letters[start : start + length])
        self._lines += 1
        moment = self._clock - timedelta(milliseconds=self.random.choice([0, 0, 300, 1500]))
        entries = [Entry(moment, line[at : at + ENTRY_BYTES]) for at in range(0, len(line), ENTRY_BYTES)]
        if self.file_start == self.written:
            self.first_line_end = self.written + len(line)
        self._run.entries += entries
        self.unread += line
        self.written += len(line)

    def set_clock(self, hours: int) -> None:
        """Set the clock of the node."""
        self._clock += timedelta(hours=hours)

    def rotate(self) -> None:
        """Begin a new file, with two lines: what was printed before is not served any more."""
        self._run.entries = []
        self.file_start = self.written
        self.write()
        self.write()

    def receive(self, body: bytes, *, is_after_gap: bool) -> int:
        """Check that *body* is what follows, and return how many bytes are missing before it after a gap."""
        skipped = 0
        if is_after_gap:
            skipped = self.unread.index(body[:100])
            assert self.file_start <= self.position + skipped <= self.first_line_end, "more is missing than was rotated"
        assert self.unread.startswith(body, skipped), f"at {self.position + skipped} of {self.written}"
        del self.unread[: skipped + len(body)]
        self.position += skipped + len(body)
        return skipped

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Return a log, or carry out a fault."""
        del method, headers, body
        url = urlsplit(target)
        if not url.path.endswith("/log"):
            rules = b'{"status":{"resourceRules":[],"nonResourceRules":[],"incomplete":false}}'
            return HttpResponse(201, [("Content-Type", "application/json")], rules)
        query = dict(parse_qsl(url.query))
        run = self._runs[url.path.split("/")[-2]][-2 if "previous" in query else -1]
        since = datetime.fromisoformat(query["sinceTime"]) if "sinceTime" in query else None
        lines = run.served(since, int(query["tailLines"]) if "tailLines" in query else None)
        fault = self._faults.choice(["reset", "error", "cut", "end"]) if self._faults.random() < FAULTS else ""
        if fault == "reset":
            raise ConnectionResetError
        if fault == "error":
            return HttpResponse(500, [], b"dial tcp: i/o timeout")
        return HttpResponse(200, [("Content-Type", "text/plain")], stream=self._broken(lines, fault))

    def _broken(self, lines: Iterator[bytes], fault: str) -> Iterator[bytes]:
        left = self._faults.choice([0, 1_000, 100_000, 1_000_000]) if fault else 0
        for line in lines:
            if self._faults.random() < 0.001:
                time.sleep(0.01)
            if fault and left < len(line):
                yield line[:left]
                if fault == "cut":
                    raise ConnectionResetError
                return
            left -= len(line)
            yield line

    @property
    def _run(self) -> ContainerLog:
        return self._runs[self.pods[-1].metadata.name][-1]

    def _start_container(self) -> None:
        self.pods[-1].status.container_statuses[0].state = ContainerState(running=Running(started_at=NOW))
        self._runs[self.pods[-1].metadata.name].append(ContainerLog())
        self.file_start = self._run_start = self.written

    def _end_container(self) -> None:
        self.pods[-1].status.container_statuses[0].state = ContainerState(terminated=Terminated(exit_code=1))
        self.pods[-1].status.phase = "Failed"
