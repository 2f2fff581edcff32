"""Announce finished Jobs: each at least once, whatever fails, and none that has not finished."""

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
from chalicelib.domain.labels import ANNOUNCED_LABEL, MANAGED_BY_LABEL, MANAGED_BY_VALUE
from chalicelib.domain.names import ProjectName
from chalicelib.usecases.announce import BATCH_SIZE, Ports, announce
from chalicelib.usecases.list_jobs import PAGE
from tests.support.builders import NOW, TEAM_A, exited, finished, job, pod, project_namespace
from tests.support.fakes import FakeEventBus, FakeJobs, FakeRemains, raising

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.kubernetes.jobs import Job

TEAM_B = ProjectName("team-b")
CLOSED = ProjectName("closed")
OUR_OWN = {MANAGED_BY_LABEL: MANAGED_BY_VALUE}


class Cluster:
    """A cluster of two Projects, and the event bus that hears of it."""

    def __init__(self) -> None:
        self.jobs = FakeJobs(TEAM_A, TEAM_B)
        self.bus = FakeEventBus()
        self.namespaces = [project_namespace(one) for one in (TEAM_A, TEAM_B)]
        self.is_late: Callable[[], bool] = lambda: False

    def announce(self) -> AnnouncementReport:
        """One run."""
        ports = Ports(self.jobs, FakeRemains(self.jobs), self.bus, self.is_late)
        return announce(self.namespaces, "gpu-east", NOW, ports)

    @property
    def told(self) -> list[str]:
        """The names of the Jobs that were announced, in order."""
        return sorted(one.name for one in self.bus.told)


@pytest.fixture
def cluster() -> Cluster:
    """The same, without a Job."""
    return Cluster()


def ended(number: int) -> list[Job]:
    """So many Jobs that have finished."""
    return [finished(name=f"job-{one:05}", resource_version="1") for one in range(number)]


class TestAnnounce:
    """What is told."""

    def test_finished_jobs_once(self, cluster: Cluster) -> None:
        """In all Projects; those that run are told of later, those of others never, and nothing is sent without one."""
        cluster.jobs.hold(TEAM_A, finished(name="a"), job("runs", labels=OUR_OWN), finished(name="foreign", labels={}))
        cluster.jobs.hold(TEAM_B, finished("Failed", name="b"))

        first, second = cluster.announce(), cluster.announce()

        assert cluster.told == ["a", "b"]
        assert (first, second, cluster.bus.calls) == (AnnouncementReport(announced=2), AnnouncementReport(), [1, 1])

    @pytest.mark.parametrize(
        ("times", "told"),
        [
            pytest.param({"at": NOW - timedelta(days=1)}, ["a"], id="a day ago"),
            pytest.param({"at": NOW - timedelta(days=1, seconds=1)}, [], id="before"),
            pytest.param({"at": NOW + timedelta(days=2)}, [], id="in the future"),
        ],
    )
    def test_recent_ones_alone(self, cluster: Cluster, times: dict[str, Any], told: list[str]) -> None:
        """One that cannot be marked, as it is as large as the cluster takes, is not announced for ever."""
        cluster.jobs.hold(TEAM_A, finished(name="a", **times))

        cluster.announce()

        assert cluster.told == told

    def test_of_its_pods(self, cluster: Cluster) -> None:
        """And of no other Job's of the same name."""
        cluster.jobs.hold(TEAM_A, finished("Failed", name="a"))
        killed = pod("Failed", name="a-1", owner="uid-of-a", status=exited(137, "OOMKilled"))
        cluster.jobs.all_pods = [(TEAM_A, pod("Failed", name="a-0", status=exited(1, "Error"))), (TEAM_A, killed)]

        cluster.announce()

        assert [(one.reason, one.cluster) for one in cluster.bus.told] == [("OOMKilled", "gpu-east")]


class TestFaults:
    """What fails is told again, and stops nothing else."""

    def test_refused_event_is_told_again(self, cluster: Cluster) -> None:
        """EventBridge may take some of a call's events and not others."""
        cluster.jobs.hold(TEAM_A, finished(name="a"), finished(name="b"))
        cluster.bus.refused = {"uid-of-a"}

        first = cluster.announce()
        cluster.bus.refused = set()
        second = cluster.announce()

        assert first.failures == [Failure("team-a", "a", "event_bus_unavailable")]
        assert (first.announced, second, cluster.told) == (1, AnnouncementReport(announced=1), ["a", "b"])

    def test_unreachable_bus_ends_the_run(self, cluster: Cluster) -> None:
        """Loudly, so that the function's alarm tells; nothing is marked, and the next run tells all."""
        cluster.jobs.hold(TEAM_A, finished(name="a"))
        cluster.bus.faults.append(raising(EventBusUnavailable("Down.")))

        with pytest.raises(EventBusUnavailable):
            cluster.announce()

        assert cluster.announce() == AnnouncementReport(announced=1)

    @pytest.mark.parametrize(("step", "told"), [("patch", ["a", "a", "b"]), ("pods", ["a", "b"])])
    def test_fault_of_one_job_stops_no_other(self, cluster: Cluster, step: str, told: list[str]) -> None:
        """It is told of when it can; after a crash before the mark again, with the same id, so that listeners know."""
        cluster.jobs.hold(TEAM_A, finished(name="a"), finished(name="b"))
        cluster.jobs.before(step, raising(ClusterUnavailable("Down.")))

        first, second = cluster.announce(), cluster.announce()

        assert first.failures == [Failure("team-a", "a", "cluster_unavailable")]
        assert (second.failed, cluster.told) == (0, told)
        assert {one.id for one in cluster.bus.told} == {"uid-of-a", "uid-of-b"}

    def test_job_that_changes_meanwhile_repeats(self, cluster: Cluster) -> None:
        """Somebody labels it between the event and the mark; their label stays."""
        cluster.jobs.hold(TEAM_A, finished(name="a", resource_version="1"))
        changed = finished(name="a", resource_version="2", labels={**OUR_OWN, "mine": "1"})
        cluster.jobs.before("patch", lambda: cluster.jobs.hold(TEAM_A, changed))

        cluster.announce()
        cluster.announce()

        assert cluster.told == ["a", "a"]
        assert cluster.jobs.jobs[TEAM_A, "a"].metadata.labels == {**OUR_OWN, "mine": "1", ANNOUNCED_LABEL: "true"}

    def test_job_that_goes_meanwhile_is_no_failure(self, cluster: Cluster) -> None:
        """It was told of."""
        cluster.jobs.hold(TEAM_A, finished(name="a"))
        cluster.jobs.before("patch", cluster.jobs.jobs.clear)

        assert cluster.announce() == AnnouncementReport(announced=1)

    def test_project_that_lets_nobody_in_stops_no_other(self, cluster: Cluster) -> None:
        """Its error is told."""
        cluster.namespaces.append(project_namespace(CLOSED))
        cluster.jobs.hold(TEAM_A, finished(name="a"))

        told = cluster.announce()

        assert (told.announced, told.failures) == (1, [Failure("closed", None, Forbidden.code)])

    @pytest.mark.parametrize(("method", "name"), [("page", None), ("pods", "a"), ("patch", "a")])
    def test_unforeseen_error_ends_no_run(self, cluster: Cluster, method: str, name: str | None) -> None:
        """It is told by its class, and of the Job or the Project that it is about; all others are announced."""
        cluster.jobs.hold(TEAM_A, finished(name="a"), finished(name="b"))
        cluster.jobs.hold(TEAM_B, finished(name="c"))
        cluster.jobs.before(method, raising(RuntimeError("hunter2")))
        cluster.namespaces = [project_namespace(TEAM_A)] * (name is not None) or cluster.namespaces

        told = cluster.announce()
        cluster.announce()

        failure = Failure(told.failures[0].project, name, "internal_error", "RuntimeError")
        assert told.failures == [failure]
        assert set(cluster.told) == ({"a", "b"} if name else {"a", "b", "c"})

    @pytest.mark.parametrize(
        ("method", "error"),
        [
            pytest.param("page", DeadlineExceeded("Late."), id="the list comes too late"),
            pytest.param("page", PageTokenExpired("Old."), id="the list is forgotten"),
            pytest.param("pods", DeadlineExceeded("Late."), id="the pods come too late"),
        ],
    )
    def test_what_breaks_off_waits_for_the_next_run(
        self, cluster: Cluster, method: str, error: DeadlineExceeded | PageTokenExpired
    ) -> None:
        """It is no failure, and nothing is lost."""
        cluster.jobs.hold(TEAM_A, finished(name="a"))
        cluster.jobs.before(method, raising(error))

        first, second = cluster.announce(), cluster.announce()

        assert (first, second) == (AnnouncementReport(truncated=True), AnnouncementReport(announced=1))

    def test_two_runs_at_once_lose_nothing(self, cluster: Cluster) -> None:
        """What both tell has one id, and is marked once."""
        cluster.jobs.hold(TEAM_A, *ended(200))

        with ThreadPoolExecutor(2) as both:
            told = list(both.map(lambda _: cluster.announce(), range(2)))

        assert sorted({one.id for one in cluster.bus.told}) == sorted(one.metadata.uid for one in ended(200))
        assert all(one.failed == 0 for one in told)
        assert cluster.announce() == AnnouncementReport()


class TestBounds:
    """How much of it there may be."""

    def test_ten_thousand_at_once(self, cluster: Cluster) -> None:
        """As many events in a call as EventBridge takes, each Job once, in pages."""
        cluster.jobs.hold(TEAM_A, *ended(10_000))

        told = cluster.announce()

        assert (told, len(set(cluster.told))) == (AnnouncementReport(announced=10_000), 10_000)
        assert set(cluster.bus.calls) == {BATCH_SIZE}

    def test_late_run_begins_nothing(self, cluster: Cluster) -> None:
        """What was begun is told and marked; the next run goes on where it ended."""
        cluster.jobs.hold(TEAM_A, *ended(PAGE + 1))
        asked = count()
        cluster.is_late = lambda: next(asked) > 2

        first = cluster.announce()
        cluster.is_late = lambda: False
        second = cluster.announce()

        assert (first.truncated, first.announced, second.announced) == (True, 3 * BATCH_SIZE, PAGE + 1 - 3 * BATCH_SIZE)
        assert len(set(cluster.told)) == len(cluster.told) == PAGE + 1
