"""Announce finished Jobs: each at least once, in spite of failures, and none that has not finished."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.domain.errors import (
    ClusterUnavailable,
    DeadlineExceeded,
    EventBusUnavailable,
    Forbidden,
    PageTokenExpired,
)
from chalicelib.domain.finished.announcement import AnnouncementReport
from chalicelib.domain.finished.cleanup_report import Failure
from chalicelib.domain.job.query import JobQuery
from chalicelib.domain.labels import ANNOUNCED_LABEL, MANAGED_BY_LABEL, MANAGED_BY_VALUE
from chalicelib.domain.names import ProjectName
from chalicelib.usecases.announce import BATCH_SIZE, Ports, announce
from chalicelib.usecases.list_jobs import PAGE, list_jobs
from tests.support.builders import (
    NOW,
    NOW_MS,
    TEAM_A,
    exited,
    finished,
    job,
    minutes_ago,
    pod,
    project_namespace,
    running,
)
from tests.support.fakes import FakeEventBus, FakeJobs, FakeRemains, raising

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.kubernetes.jobs import Job

TEAM_B = ProjectName("team-b")
CLOSED = ProjectName("closed")
MANAGED_LABELS = {MANAGED_BY_LABEL: MANAGED_BY_VALUE}


class Cluster:
    """A cluster with two Projects, and its event bus."""

    def __init__(self) -> None:
        self.jobs = FakeJobs(TEAM_A, TEAM_B)
        self.bus = FakeEventBus()
        self.namespaces = [project_namespace(project) for project in (TEAM_A, TEAM_B)]
        self.is_late: Callable[[], bool] = lambda: False

    def announce(self) -> AnnouncementReport:
        """Announce once, and return the report."""
        ports = Ports(self.jobs, FakeRemains(self.jobs), self.bus, self.is_late)
        return announce(self.namespaces, "gpu-east", NOW, ports)

    @property
    def announced(self) -> list[str]:
        """The names of the announced Jobs, sorted."""
        return sorted(announcement.name for announcement in self.bus.published)


@pytest.fixture
def cluster() -> Cluster:
    """Return the cluster without Jobs."""
    return Cluster()


def finished_jobs(number: int) -> list[Job]:
    """Return this many finished Jobs."""
    return [finished(name=f"job-{index:05}", resource_version="1") for index in range(number)]


class TestAnnounce:
    """Which Jobs are announced."""

    def test_finished_jobs_once(self, cluster: Cluster) -> None:
        """Each finished Job of the API is announced once, in all Projects; a run without any sends no request."""
        cluster.jobs.hold(
            TEAM_A, finished(name="a"), job("runs", labels=MANAGED_LABELS), finished(name="foreign", labels={})
        )
        cluster.jobs.hold(TEAM_B, finished("Failed", name="b"))

        first, second = cluster.announce(), cluster.announce()

        assert cluster.announced == ["a", "b"]
        assert (first, second, cluster.bus.calls) == (AnnouncementReport(announced=2), AnnouncementReport(), [1, 1])

    @pytest.mark.parametrize(
        ("times", "expected"),
        [
            pytest.param({"at": NOW - timedelta(days=1)}, ["a"], id="one day old"),
            pytest.param({"at": NOW - timedelta(days=1, seconds=1)}, [], id="older"),
            pytest.param({"at": NOW + timedelta(days=2)}, [], id="in the future"),
        ],
    )
    def test_only_recent_jobs(self, cluster: Cluster, times: dict[str, Any], expected: list[str]) -> None:
        """A Job that cannot be labelled, because it is as large as etcd's limit, is not announced forever."""
        cluster.jobs.hold(TEAM_A, finished(name="a", **times))

        cluster.announce()

        assert cluster.announced == expected

    def test_reason_is_that_of_its_pods(self, cluster: Cluster) -> None:
        """Pods of another Job with the same name are ignored."""
        cluster.jobs.hold(TEAM_A, finished("Failed", name="a"))
        killed = pod("Failed", name="a-1", owner="uid-of-a", status=exited(137, "OOMKilled"))
        cluster.jobs.all_pods = [(TEAM_A, pod("Failed", name="a-0", status=exited(1, "Error"))), (TEAM_A, killed)]

        cluster.announce()

        assert [(one.reason, one.cluster) for one in cluster.bus.published] == [("OOMKilled", "gpu-east")]

    def test_start_is_stored(self, cluster: Cluster) -> None:
        """With it, a list shows when a finished Job first ran without a request for its pods."""
        cluster.jobs.hold(TEAM_A, finished(name="a"), finished(name="b"))
        cluster.jobs.all_pods = [(TEAM_A, pod("Running", name="a-1", owner="uid-of-a", status=running(minutes_ago(3))))]

        cluster.announce()
        starts = {each.name: each.started_at for each in list_jobs(TEAM_A, JobQuery(), cluster.jobs).data}

        assert starts == {"a": NOW_MS - 180_000, "b": None}

    def test_outcome_is_recorded(self, cluster: Cluster) -> None:
        """A list, which reads no pods of finished Jobs, has the exit code of an announced Job."""
        cluster.jobs.hold(TEAM_A, finished("Failed", name="a"))
        cluster.jobs.all_pods = [(TEAM_A, pod("Failed", name="a-1", owner="uid-of-a", status=exited(3)))]
        before = list_jobs(TEAM_A, JobQuery(), cluster.jobs).data

        cluster.announce()

        after = list_jobs(TEAM_A, JobQuery(), cluster.jobs).data
        assert [(one.exit_code, one.failed_pod) for one in (*before, *after)] == [(None, None), (3, "a-1")]


class TestFaults:
    """Failures are repeated, and do not stop the rest."""

    def test_rejected_event_is_repeated(self, cluster: Cluster) -> None:
        """EventBridge may reject some events of a request."""
        cluster.jobs.hold(TEAM_A, finished(name="a"), finished(name="b"))
        cluster.bus.refused = {"uid-of-a"}

        first = cluster.announce()
        cluster.bus.refused = set()
        second = cluster.announce()

        assert first.failures == [Failure("team-a", "a", "event_bus_unavailable")]
        assert (first.announced, second, cluster.announced) == (1, AnnouncementReport(announced=1), ["a", "b"])

    def test_unreachable_bus_ends_the_run(self, cluster: Cluster) -> None:
        """The error triggers the function's alarm; no Job is labelled, and the next run announces all."""
        cluster.jobs.hold(TEAM_A, finished(name="a"))
        cluster.bus.faults.append(raising(EventBusUnavailable("Down.")))

        with pytest.raises(EventBusUnavailable):
            cluster.announce()

        assert cluster.announce() == AnnouncementReport(announced=1)

    @pytest.mark.parametrize(("step", "expected"), [("patch", ["a", "a", "b"]), ("pods", ["a", "b"])])
    def test_failure_of_one_job(self, cluster: Cluster, step: str, expected: list[str]) -> None:
        """The others are announced. An event is repeated with the same id if the label was not set."""
        cluster.jobs.hold(TEAM_A, finished(name="a"), finished(name="b"))
        cluster.jobs.before(step, raising(ClusterUnavailable("Down.")))

        first, second = cluster.announce(), cluster.announce()

        assert first.failures == [Failure("team-a", "a", "cluster_unavailable")]
        assert (second.failed, cluster.announced) == (0, expected)
        assert {one.id for one in cluster.bus.published} == {"uid-of-a", "uid-of-b"}

    def test_job_that_changes_is_announced_again(self, cluster: Cluster) -> None:
        """If the Job changes between the event and the label, the change is kept."""
        cluster.jobs.hold(TEAM_A, finished(name="a", resource_version="1"))
        changed = finished(name="a", resource_version="2", labels={**MANAGED_LABELS, "mine": "1"})
        cluster.jobs.before("patch", lambda: cluster.jobs.hold(TEAM_A, changed))

        cluster.announce()
        cluster.announce()

        assert cluster.announced == ["a", "a"]
        assert cluster.jobs.jobs[TEAM_A, "a"].metadata.labels == {
            **MANAGED_LABELS,
            "mine": "1",
            ANNOUNCED_LABEL: "true",
        }

    def test_job_that_is_deleted_is_no_failure(self, cluster: Cluster) -> None:
        """It was announced."""
        cluster.jobs.hold(TEAM_A, finished(name="a"))
        cluster.jobs.before("patch", cluster.jobs.jobs.clear)

        assert cluster.announce() == AnnouncementReport(announced=1)

    def test_forbidden_project(self, cluster: Cluster) -> None:
        """The error is reported, and the other Projects are announced."""
        cluster.namespaces.append(project_namespace(CLOSED))
        cluster.jobs.hold(TEAM_A, finished(name="a"))

        report = cluster.announce()

        assert (report.announced, report.failures) == (1, [Failure("closed", None, Forbidden.code)])

    @pytest.mark.parametrize(("method", "name"), [("page", None), ("pods", "a"), ("patch", "a")])
    def test_unexpected_error_does_not_end_the_run(self, cluster: Cluster, method: str, name: str | None) -> None:
        """It is reported by its class, for the Job or the Project; all others are announced."""
        cluster.jobs.hold(TEAM_A, finished(name="a"), finished(name="b"))
        cluster.jobs.hold(TEAM_B, finished(name="c"))
        cluster.jobs.before(method, raising(RuntimeError("hunter2")))
        cluster.namespaces = [project_namespace(TEAM_A)] * (name is not None) or cluster.namespaces

        report = cluster.announce()
        cluster.announce()

        failure = Failure(report.failures[0].project, name, "internal_error", "RuntimeError")
        assert report.failures == [failure]
        assert set(cluster.announced) == ({"a", "b"} if name else {"a", "b", "c"})

    @pytest.mark.parametrize(
        ("method", "error"),
        [
            pytest.param("page", DeadlineExceeded("Late."), id="list exceeds the deadline"),
            pytest.param("page", PageTokenExpired("Old."), id="page token expired"),
            pytest.param("pods", DeadlineExceeded("Late."), id="pods exceed the deadline"),
        ],
    )
    def test_interrupted_project_continues_in_the_next_run(
        self, cluster: Cluster, method: str, error: DeadlineExceeded | PageTokenExpired
    ) -> None:
        """It is not a failure, and no Job is lost."""
        cluster.jobs.hold(TEAM_A, finished(name="a"))
        cluster.jobs.before(method, raising(error))

        first, second = cluster.announce(), cluster.announce()

        assert (first, second) == (AnnouncementReport(truncated=True), AnnouncementReport(announced=1))

    def test_concurrent_runs(self, cluster: Cluster) -> None:
        """Events of both runs have the same id, and each Job is labelled once."""
        cluster.jobs.hold(TEAM_A, *finished_jobs(200))

        with ThreadPoolExecutor(2) as executor:
            reports = list(executor.map(lambda _: cluster.announce(), range(2)))

        assert sorted({one.id for one in cluster.bus.published}) == sorted(
            one.metadata.uid for one in finished_jobs(200)
        )
        assert all(report.failed == 0 for report in reports)
        assert cluster.announce() == AnnouncementReport()


class TestBounds:
    """The limits of a run."""

    def test_ten_thousand_jobs(self, cluster: Cluster) -> None:
        """Requests have as many events as EventBridge accepts, and each Job is announced once."""
        cluster.jobs.hold(TEAM_A, *finished_jobs(10_000))

        report = cluster.announce()

        assert (report, len(set(cluster.announced))) == (AnnouncementReport(announced=10_000), 10_000)
        assert set(cluster.bus.calls) == {BATCH_SIZE}

    def test_late_run_stops(self, cluster: Cluster) -> None:
        """Batches that were begun are completed, and the next run continues after them."""
        cluster.jobs.hold(TEAM_A, *finished_jobs(PAGE + 1))
        asked = count()
        cluster.is_late = lambda: next(asked) > 2

        first = cluster.announce()
        cluster.is_late = lambda: False
        second = cluster.announce()

        assert (first.truncated, first.announced, second.announced) == (True, 3 * BATCH_SIZE, PAGE + 1 - 3 * BATCH_SIZE)
        assert len(set(cluster.announced)) == len(cluster.announced) == PAGE + 1
