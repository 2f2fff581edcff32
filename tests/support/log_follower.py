"""Follow a log in a process of its own, whose memory can be measured: the whole use case, with its adapter of logs.

Reads requests as JSON lines from the standard input. Each answer is a JSON line, and the bytes of the log.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import msgspec

from chalicelib.adapters.kubernetes.cluster import Cluster
from chalicelib.adapters.kubernetes.container_logs import KubernetesLogs
from chalicelib.deadline import Deadline
from chalicelib.domain.errors import ClusterUnavailable, NodeUnavailable
from chalicelib.domain.job.log_cursor import encode_cursor
from chalicelib.domain.job.log_format import BYTES, format_log
from chalicelib.domain.job.log_query import LogQuery
from chalicelib.domain.kubernetes.jobs import Job  # noqa: TC001 - msgspec reads the annotations at run time
from chalicelib.domain.kubernetes.pods import Pod  # noqa: TC001 - msgspec reads the annotations at run time
from chalicelib.usecases.follow_log import LogRequest, Ports, follow_log
from tests.support.builders import ALICE, TEAM_A, TRAIN_1
from tests.support.fakes import FakeJobs, FakePods
from tests.support.scripted_server import api_at


class Poll(msgspec.Struct):
    """A request: the state of the Job, and the query."""

    job: Job
    pods: list[Pod]
    cursor: str
    limit: int


class Answer(msgspec.Struct):
    """The answer: *size* bytes follow, or the request *failed*; *megabytes* is the peak of the resident memory."""

    cursor: str
    size: int = 0
    gap: str | None = None
    is_complete: bool = False
    failed: bool = False
    megabytes: float = 0.0


def answer(cluster: Cluster, poll: Poll) -> tuple[Answer, bytes]:
    """Send one request, as the function does."""
    jobs, pods, changes = FakeJobs(), FakePods(), Any
    jobs.hold(TEAM_A, poll.job)
    pods.pods = poll.pods
    logs = KubernetesLogs(cluster, ALICE, Deadline.after(20), Deadline.after(0))
    query = LogQuery(cursor=poll.cursor, limit_bytes=poll.limit)
    try:
        found = follow_log(LogRequest(TEAM_A, TRAIN_1, query, BYTES), Ports(jobs, pods, logs, changes))  # type: ignore[arg-type] # nothing is waited for
    except (ClusterUnavailable, NodeUnavailable):
        return Answer(poll.cursor, failed=True), b""
    body = format_log(found.parts, None, BYTES, timestamps=False)
    assert isinstance(body, bytes)
    return Answer(encode_cursor(found.cursor), len(body), found.gap, found.is_complete), body


def peak() -> float:
    """Return the peak of the resident memory in MB: ru_maxrss would begin with that of the parent process."""
    found = re.search(r"VmHWM:\s+([0-9]+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


def main(url: str) -> None:
    """Answer until the input ends."""
    cluster = Cluster(api_at(url))
    for line in sys.stdin.buffer:
        found, body = answer(cluster, msgspec.json.decode(line, type=Poll))
        found.megabytes = peak()
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n" + body)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1])
