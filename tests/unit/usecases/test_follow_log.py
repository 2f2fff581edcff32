"""Follow a log: without loss and without repetition, whatever happens between two requests."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import JobNotFound, JobNotStarted, LogGone, MalformedRequest, NodeUnavailable
from chalicelib.domain.job.log_cursor import encode_cursor
from chalicelib.domain.job.log_format import BYTES, NDJSON, TEXT, format_log
from chalicelib.domain.job.log_query import LogQuery
from chalicelib.domain.kubernetes.jobs import Condition, Container
from chalicelib.domain.kubernetes.pods import ContainerState, ContainerStatus, Pod, PodStatus, Running, Terminated
from chalicelib.usecases.follow_log import FollowedLog, LogRequest, Ports, follow_log
from tests.support.builders import NOW, TEAM_A, TRAIN_1, job, pod
from tests.support.fakes import FakeJobs, FakePods
from tests.support.kubelet_logs import ContainerLog, Entry, KubeletLogs, later

if TYPE_CHECKING:
    from chalicelib.domain.names import JobName, ProjectName


class NoChanges:
    """A Job that does not change while a request waits."""

    def __init__(self) -> None:
        self.waits = 0

    def wait(self, project: ProjectName, name: JobName, version: str) -> bool:
        """Return that the time is over."""
        del project, name, version
        self.waits += 1
        return False


class Cluster:
    """A Job, its pods and their logs; everything that was printed, in order, is *printed*."""

    def __init__(self, seed: int = 0, breaks: float = 0.0, pods_per_second: int = 1) -> None:
        self.pods_per_second = pods_per_second
        self.random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.jobs, self.pods = FakeJobs(), FakePods()
        self.logs = KubeletLogs(self.random, breaks)
        self.changes = NoChanges()
        self.clock = NOW
        self.attempts: list[ContainerLog] = []
        self._number = 0
        self.jobs.hold(TEAM_A, job())

    @property
    def printed(self) -> bytes:
        """Everything that the Job has printed."""
        return b"".join(log.content for log in self.attempts)

    def start_pod(self) -> None:
        """Create a pod, and start its container."""
        self._number += 1
        name = f"train-1-{self.random.randint(0, 999):03}{self._number}"
        created = NOW + timedelta(seconds=self._number // self.pods_per_second)
        status = PodStatus(container_statuses=[ContainerStatus(name="main", restart_count=0)])
        self.pods.pods.append(
            pod("Running", name=name, creation_timestamp=created, status=status, containers=[Container(name="main")])
        )
        self.logs.logs[name] = []
        self._start_container()

    def restart(self) -> None:
        """End the container, and start it again in its pod."""
        status = self._status
        status.last_state = ContainerState(terminated=Terminated(exit_code=1))
        status.restart_count = (status.restart_count or 0) + 1
        self._start_container()

    def end_pod(self) -> None:
        """End the pod."""
        self._status.state = ContainerState(terminated=Terminated(exit_code=1))
        self._pod.status.phase = "Failed"

    def finish(self) -> None:
        """End the pod and the Job."""
        self.end_pod()
        found = self.jobs.find(TEAM_A, TRAIN_1)
        assert found is not None
        found.status.conditions = [Condition(type="Failed", status="True")]

    def write(self, *sizes: int) -> None:
        """Print a line of one of *sizes*, or a part of one; the clock goes on, or is set."""
        self.clock = later(self.clock, self.random)
        length = self.random.choice(sizes)
        text = "".join(self.random.choices("abcdefghijklmnopqrstuvwxyzäß€😀", k=length))
        self.log.entries.append(Entry(self.clock, text.encode() + self.random.choice([b"\n", b"\n", b"\n", b""])))

    def rotate(self) -> None:
        """Rotate the file: earlier entries are not served any more.

        A rotation before the first request cannot be recognized: the API server does not say where a file begins.
        """
        entries = self.log.entries
        starts = [
            number
            for number in range(self.log.rotated, len(entries) + 1)
            if not number or entries[number - 1].content.endswith(b"\n")
        ]
        if self.log.was_read and starts:
            self.log.rotated = self.random.choice(starts)

    def follow(self, cursor: str = "start", content_type: str = BYTES, **query: int) -> FollowedLog:
        """Send one request."""
        request = LogRequest(TEAM_A, TRAIN_1, LogQuery(cursor=cursor, **query), content_type)  # type: ignore[arg-type] # numbers
        return follow_log(request, Ports(self.jobs, self.pods, self.logs, self.changes))

    @property
    def log(self) -> ContainerLog:
        """The log of the running container."""
        return self.attempts[-1]

    @property
    def _pod(self) -> Pod:
        return self.pods.pods[-1]

    @property
    def _status(self) -> ContainerStatus:
        return self._pod.status.container_statuses[0]

    def _start_container(self) -> None:
        self._status.state = ContainerState(running=Running(started_at=NOW))
        self.attempts.append(ContainerLog())
        self.logs.logs[self._pod.metadata.name].append(self.log)


class Follower:
    """Follows the log of *cluster*; *segments* are what it got between the marked gaps."""

    def __init__(self, cluster: Cluster, content_type: str = BYTES) -> None:
        self.segments = [b""]
        self.is_complete = False
        self._cluster = cluster
        self._type = content_type
        self._cursor = "start"

    @property
    def received(self) -> int:
        """The number of bytes."""
        return sum(map(len, self.segments))

    def poll(self, limit: int) -> None:
        """Send one request."""
        found = self._cluster.follow(self._cursor, self._type, limit_bytes=limit)
        body = b"".join(piece.content for part in found.parts for piece in part.pieces)
        assert len(body) <= limit
        if found.gap:
            self.segments.append(b"")
        self.segments[-1] += body
        self.is_complete = found.is_complete
        self._cursor = encode_cursor(found.cursor)

    def finish(self) -> None:
        """Send requests until the log is complete; check that what is missing was marked, and that nothing is twice."""
        for _ in range(20_000):
            if self.is_complete:
                break
            self.poll(1000)
        printed = self._cluster.printed
        assert self.is_complete
        assert printed.startswith(self.segments[0])
        end = 0
        for segment in self.segments:
            end = printed.index(segment, end) + len(segment)


def catch_up(cluster: Cluster, follower: Follower) -> None:
    """Send requests until the follower has everything that was printed."""
    cluster.log.entries.append(Entry(cluster.clock, b"\n"))
    for _ in range(1000):
        follower.poll(1000)
        if follower.received == len(cluster.printed):
            return
    pytest.fail("The follower did not catch up.")


@pytest.mark.parametrize("content_type", [BYTES, TEXT, NDJSON])
@given(st.integers(0, 2**32))
def test_nothing_is_lost_or_repeated(content_type: str, seed: int) -> None:
    """Restarts, retries, a clock that is set, connections that break: the bytes are those that were printed."""
    cluster = Cluster(seed, breaks=0.02, pods_per_second=3)
    follower = Follower(cluster, content_type)
    cluster.start_pod()
    for _ in range(80):
        kind = cluster.random.random()
        if kind < 0.6:
            cluster.write(0, 1, 5, 40, 400)
        elif kind < 0.95:
            follower.poll(cluster.random.choice([4, 50, 1000]))
        else:
            catch_up(cluster, follower)
            if kind < 0.97:
                cluster.restart()
            else:
                cluster.end_pod()
                catch_up(cluster, follower)
                cluster.start_pod()
    cluster.finish()
    follower.finish()

    assert follower.segments == [cluster.printed]


@given(st.integers(0, 2**32))
def test_what_was_rotated_away_is_a_gap(seed: int) -> None:
    """Rotations and restarts between two requests: what is missing is marked, and nothing else is missing."""
    cluster = Cluster(seed, breaks=0.02)
    follower = Follower(cluster)
    cluster.start_pod()
    for _ in range(80):
        match cluster.random.choice("wwwwwwwwwwffffrsp"):
            case "w":
                cluster.write(8, 40, 400)
            case "f":
                follower.poll(cluster.random.choice([4, 50, 1000]))
            case "r":
                cluster.rotate()
            case "s":
                cluster.restart()
            case "p":
                cluster.end_pod()
                cluster.start_pod()
    cluster.finish()
    follower.finish()

    assert len(follower.segments) > 1 or follower.segments == [cluster.printed]


@pytest.fixture
def cluster() -> Cluster:
    """Return a cluster with a running pod that has printed a line."""
    cluster = Cluster()
    cluster.start_pod()
    cluster.log.entries.append(Entry(NOW, b"one\n"))
    return cluster


def read(found: FollowedLog) -> tuple[str | bytes, str | None, bool]:
    """Return the text, the gap, and whether the log is complete."""
    return format_log(found.parts, None, TEXT, timestamps=False), found.gap, found.is_complete


class TestLoss:
    """Logs that were lost between two requests, or cannot be read."""

    def test_deleted_pod(self) -> None:
        """The next pod follows after a gap, even if it was created in the same second."""
        cluster = Cluster(pods_per_second=10)
        cluster.start_pod()
        cluster.log.entries.append(Entry(NOW, b"one\n"))
        first = cluster.follow()
        cluster.pods.pods.clear()
        cluster.start_pod()
        cluster.log.entries.append(Entry(NOW, b"two\n"))

        assert read(cluster.follow(encode_cursor(first.cursor))) == ("two\n", "pod_deleted", False)

    def test_gap_begins_a_response(self, cluster: Cluster) -> None:
        """What was read before a gap is a response of its own."""
        cluster.end_pod()
        lost = cluster.attempts[-1]
        cluster.start_pod()
        cluster.logs.logs[cluster.pods.pods[-1].metadata.name] = []
        cluster.logs.errors[cluster.pods.pods[-1].metadata.name] = LogGone("x")
        cluster.finish()

        first = cluster.follow()
        second = cluster.follow(encode_cursor(first.cursor))

        assert (read(first), read(second)) == (("one\n", None, False), ("", "log_gone", True))
        assert lost.was_read

    @pytest.mark.parametrize("restarts", [2, 3])
    def test_restarts(self, cluster: Cluster, restarts: int) -> None:
        """The kubelet has the log of the last two runs of a container."""
        first = cluster.follow()
        for number in range(restarts):
            cluster.restart()
            cluster.log.entries.append(Entry(NOW, f"{number}\n".encode()))

        expected = f"{restarts - 2}\n{restarts - 1}\n"
        assert read(cluster.follow(encode_cursor(first.cursor))) == (expected, "container_restarted", False)
        assert read(cluster.follow()) == (expected, "container_restarted", False)

    def test_crash_loop(self, cluster: Cluster) -> None:
        """While a container waits for its restart, the log of its last run is read to the end, and waited for more."""
        status = cluster.pods.pods[-1].status.container_statuses[0]
        status.state, status.last_state = ContainerState(), ContainerState(terminated=Terminated(exit_code=1))
        cluster.logs.logs[cluster.pods.pods[-1].metadata.name].append(ContainerLog())

        assert read(cluster.follow()) == ("one\n", None, False)

    def test_removed_container(self, cluster: Cluster) -> None:
        """A container that the kubelet has removed is a gap; one that has not started yet is not."""
        cluster.logs.errors[cluster.pods.pods[-1].metadata.name] = JobNotStarted("x")
        assert read(cluster.follow()) == ("", None, False)
        cluster.finish()

        assert read(cluster.follow()) == ("", "log_gone", True)

    def test_silent_node(self, cluster: Cluster) -> None:
        """What was read before is sent; then the error is temporary, and the cursor stays valid."""
        cluster.end_pod()
        cluster.start_pod()
        cluster.logs.errors[cluster.pods.pods[-1].metadata.name] = NodeUnavailable("x", retry_after=30)

        first = cluster.follow()

        assert read(first) == ("one\n", None, False)
        with pytest.raises(NodeUnavailable):
            cluster.follow(encode_cursor(first.cursor))

    def test_no_pods_left(self, cluster: Cluster) -> None:
        """The log of a finished Job without pods is gone; of one that is known to be read, it is complete."""
        cluster.finish()
        cursor = cluster.follow().cursor
        cluster.pods.pods.clear()

        with pytest.raises(LogGone):
            cluster.follow()
        assert read(cluster.follow(encode_cursor(cursor))) == ("", None, True)

    def test_clock_of_the_node(self, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
        """Lines behind a clock that was set back by an hour are found, although the kubelet hides them."""
        monkeypatch.setattr("chalicelib.usecases.attempt_log.SEARCHED_BYTES", 0)
        cluster.log.entries.insert(0, Entry(NOW - timedelta(minutes=1), b"zero\n"))
        cursor = encode_cursor(cluster.follow().cursor)
        assert read(cluster.follow(cursor)) == ("", None, False)
        cluster.log.entries.append(Entry(NOW - timedelta(hours=1), b"two\n"))

        assert read(cluster.follow(cursor)) == ("two\n", None, False)

    def test_rotation_within_an_instant(self, cluster: Cluster) -> None:
        """Of lines with the same timestamp, those that were sent are not repeated after a rotation."""
        cluster.log.entries += [Entry(NOW, b"two\n"), Entry(NOW, b"three\n")]
        cursor = encode_cursor(cluster.follow(limit_bytes=8).cursor)
        cluster.log.rotated = 1

        assert read(cluster.follow(cursor)) == ("three\n", "rotated", False)

    def test_pods_that_did_not_start(self, cluster: Cluster) -> None:
        """A pod that ended before it started is passed; one that may still start is waited for."""
        cluster.end_pod()
        cluster.start_pod()
        cluster.pods.pods[-1].status.container_statuses[0].state = ContainerState()
        cluster.start_pod()
        cluster.log.entries.append(Entry(NOW, b"two\n"))

        assert read(cluster.follow()) == ("one\n", None, False)
        cluster.pods.pods[-2].status.phase = "Failed"
        assert read(cluster.follow()) == ("one\ntwo\n", None, False)

    def test_pod_without_statuses(self, cluster: Cluster) -> None:
        """A pod of which no status was reported may have a log when it has ended."""
        cluster.pods.pods[-1].status.container_statuses = []
        assert read(cluster.follow()) == ("", None, False)
        cluster.pods.pods[-1].status.phase = "Failed"

        assert read(cluster.follow()) == ("one\n", None, False)


class TestWait:
    """Waiting for more."""

    def test_of_a_running_container(self, cluster: Cluster) -> None:
        """The log of the container is waited for, and read again."""
        cluster.logs.is_waiting_long = True
        cursor = encode_cursor(cluster.follow().cursor)

        assert read(cluster.follow(cursor, wait=25)) == ("", None, False)
        assert [run.pod for run in cluster.logs.waits] == [cluster.pods.pods[-1].metadata.name] * 2

    def test_of_a_job_that_starts(self, cluster: Cluster) -> None:
        """A change of the Job is waited for."""
        cluster.pods.pods.clear()

        assert read(cluster.follow(wait=25)) == ("", None, False)
        assert (cluster.changes.waits, cluster.logs.waits) == (1, [])

    def test_more_than_an_incomplete_line(self, cluster: Cluster) -> None:
        """A line that is being written does not end the wait of a follower that gets whole lines."""
        cluster.log.entries.append(Entry(NOW, b"tw"))
        first = cluster.follow(content_type=NDJSON)

        assert read(first) == ("one\n", None, False)
        assert read(cluster.follow(encode_cursor(first.cursor), NDJSON, wait=25)) == ("", None, False)


def test_incomplete_end(cluster: Cluster) -> None:
    """The API server does not report that a kubelet's connection broke: the log is complete when its end was seen."""
    cluster.logs.hidden = 1
    cluster.log.entries.append(Entry(NOW + timedelta(seconds=1), b"two\n"))
    cluster.finish()

    first = cluster.follow()
    cluster.logs.hidden = 0

    assert read(first) == ("one\n", None, False)
    assert read(cluster.follow(encode_cursor(first.cursor))) == ("two\n", None, True)


@pytest.mark.parametrize(("hidden", "sent", "more"), [(3, 4, "two\nthree\n"), (2, 7, "\nthree\n"), (3, 8, "three\n")])
def test_early_end(cluster: Cluster, hidden: int, sent: int, more: str) -> None:
    """A response that ends before the place of the cursor is neither a gap nor the end of the log."""
    cluster.log.entries += [Entry(NOW + timedelta(seconds=1), b"two\n"), Entry(NOW + timedelta(seconds=2), b"three\n")]
    cursor = encode_cursor(cluster.follow(limit_bytes=sent).cursor)
    cluster.finish()
    cluster.logs.hidden = hidden

    assert read(cluster.follow(cursor)) == (more, None, False)
    assert read(cluster.follow(cursor)) == (more, None, True)


def test_errors(cluster: Cluster) -> None:
    """A Job that does not exist, an index that it does not have, and a cursor of another API."""
    with pytest.raises(MalformedRequest):
        cluster.follow("x")
    with pytest.raises(MalformedRequest):
        cluster.follow(index=3)
    cluster.jobs = FakeJobs()
    with pytest.raises(JobNotFound):
        cluster.follow()
