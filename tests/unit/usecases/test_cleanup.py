"""Clean up: which Jobs go, in what order, and what is told of the rest."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.domain.errors import ClusterUnavailable, DeadlineExceeded, Forbidden, PageTokenExpired
from chalicelib.domain.finished.cleanup_report import MAX_NAMED, CleanupReport, Failure, NamedJob, PendingJob
from chalicelib.domain.finished.retention import RetentionPolicy
from chalicelib.domain.kubernetes.jobs import JobSpec, JobStatus
from chalicelib.domain.labels import MANAGED_BY_LABEL, MANAGED_BY_VALUE, RETENTION_ANNOTATION
from chalicelib.domain.names import ProjectName
from chalicelib.usecases.cleanup import clean_up
from chalicelib.usecases.delete_expired import Ports
from chalicelib.usecases.list_jobs import PAGE
from tests.support.builders import NOW, TEAM_A, finished, job, minutes_ago, pod, project_namespace, unscheduled
from tests.support.fakes import FakeJobs, FakeReceipts, FakeRemains, raising

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.kubernetes.jobs import Job

TEAM_B = ProjectName("team-b")
TEAM_C = ProjectName("team-c")
RULES = RetentionPolicy(retention=60, failed_retention=60, max_deletions=1000, max_pending=3600)
OLD = minutes_ago(2)


class Cluster:
    """A cluster of three Projects, and a cleanup of it."""

    def __init__(self) -> None:
        self.jobs = FakeJobs(TEAM_A, TEAM_B, TEAM_C)
        self.receipts = FakeReceipts()
        self.namespaces = [project_namespace(one) for one in (TEAM_C, TEAM_A, TEAM_B)]
        self.is_late: Callable[[], bool] = lambda: False

    def clean_up(self, rules: RetentionPolicy = RULES, *, dry_run: bool = False, hours: int = 0) -> CleanupReport:
        """The report of a run so many hours after NOW."""
        ports = Ports(self.jobs, FakeRemains(self.jobs), self.receipts, self.is_late)
        return clean_up(self.namespaces, rules, NOW + timedelta(hours=hours), ports, dry_run=dry_run)


@pytest.fixture
def cluster() -> Cluster:
    """The same, without a Job."""
    return Cluster()


def old(*names: str, **fields: Any) -> list[Job]:  # noqa: ANN401 - whatever a field holds
    """Finished Jobs past their retention."""
    return [finished(name=name, at=OLD, **fields) for name in names]


def two_pages(cluster: Cluster) -> None:
    """Lets *cluster* hold one Project, of one young Job more than a page."""
    cluster.jobs.hold(TEAM_A, *(finished(name=f"a{number:04}") for number in range(PAGE + 1)))
    cluster.namespaces = [project_namespace(TEAM_A)]


def reconciles(report: CleanupReport) -> bool:
    """Whether every Job that was looked at is accounted for, once."""
    return report.scanned == report.deleted + report.failed + sum(report.skipped.values())


class TestCleanUp:
    """What a run does."""

    def test_deletes_what_has_expired_and_nothing_else(self, cluster: Cluster) -> None:
        """In all Projects; each Job that stays is counted by its reason."""
        cluster.jobs.hold(TEAM_A, *old("a", "b"), finished(name="young"), *old("foreign", labels={}))
        cluster.jobs.hold(TEAM_B, *old("c"), job("running", labels={MANAGED_BY_LABEL: MANAGED_BY_VALUE}))

        report = cluster.clean_up()

        assert (cluster.jobs.names(TEAM_A), cluster.jobs.names(TEAM_B)) == (["foreign", "young"], ["running"])
        assert (report.scanned, report.eligible, report.deleted, report.failed) == (6, 3, 3, 0)
        assert report.skipped == {"young": 1, "foreign": 1, "notFinished": 1}
        assert sorted(report.jobs, key=lambda one: one.name) == [
            NamedJob("team-a", "a"), NamedJob("team-a", "b"), NamedJob("team-b", "c")
        ]  # fmt: skip
        assert len(cluster.receipts.stored) == 3

    def test_without_jobs_or_projects_there_is_nothing_to_do(self, cluster: Cluster) -> None:
        """An empty cluster is clean."""
        assert cluster.clean_up() == CleanupReport(dry_run=False)
        cluster.namespaces = []
        assert cluster.clean_up() == CleanupReport(dry_run=False)

    def test_projects_say_how_long_jobs_stay(self, cluster: Cluster) -> None:
        """By an annotation of the namespace."""
        cluster.namespaces = [project_namespace(TEAM_A, **{RETENTION_ANNOTATION: "1h"}), project_namespace(TEAM_B)]
        cluster.jobs.hold(TEAM_A, *old("stays"))
        cluster.jobs.hold(TEAM_B, *old("goes"))

        cluster.clean_up()

        assert (cluster.jobs.names(TEAM_A), cluster.jobs.names(TEAM_B)) == (["stays"], [])

    def test_unreadable_retention_keeps_and_is_told(self, cluster: Cluster) -> None:
        """Once for a Project, however many Jobs it has; and for each Job that says so itself."""
        cluster.namespaces = [project_namespace(TEAM_A, **{RETENTION_ANNOTATION: "a while"})]
        cluster.jobs.hold(TEAM_A, *old("a", "b"), *old("c", annotations={RETENTION_ANNOTATION: "soon"}))

        report = cluster.clean_up()

        assert (cluster.jobs.names(TEAM_A), report.skipped) == (["a", "b", "c"], {"unreadableRetention": 3})
        assert report.failures == [
            Failure("team-a", None, "unreadable_retention"),
            Failure("team-a", "c", "unreadable_retention"),
        ]
        assert reconciles(report)


class TestUnforeseen:
    """Errors that nobody foresaw."""

    @pytest.mark.parametrize("method", ["page", "delete"])
    def test_end_no_run(self, cluster: Cluster, method: str) -> None:
        """Each is told by its class, and the other Projects are cleaned up."""
        cluster.jobs.hold(TEAM_A, *old("a"))
        cluster.jobs.hold(TEAM_B, *old("b"))
        cluster.jobs.before(method, raising(RuntimeError("hunter2")))

        report = cluster.clean_up()

        (failure,) = report.failures
        assert (failure.code, failure.error, report.deleted) == ("internal_error", "RuntimeError", 1)
        assert reconciles(report)

    def test_end_no_project(self, cluster: Cluster) -> None:
        """A Job that cannot be decided upon stays, and the next one goes."""
        cluster.jobs.hold(TEAM_A, finished(name="a", at=OLD.replace(tzinfo=None)), *old("b"))

        report = cluster.clean_up()

        assert report.failures == [Failure("team-a", "a", "internal_error", "TypeError")]
        assert (cluster.jobs.names(TEAM_A), reconciles(report)) == (["a"], True)


class TestDryRun:
    """A run that only tells."""

    def test_touches_nothing(self, cluster: Cluster) -> None:
        """No deletion is sent, and no Receipt stored."""
        cluster.jobs.hold(TEAM_A, *old("a"))
        cluster.jobs.before("delete", raising(AssertionError("a dry run deletes nothing")))

        report = cluster.clean_up(dry_run=True)

        assert (report.deleted, report.eligible, report.skipped) == (0, 1, {"dryRun": 1})
        assert (cluster.jobs.names(TEAM_A), cluster.receipts.stored) == (["a"], {})


class TestBounds:
    """Where a run ends."""

    @pytest.mark.parametrize(("brake", "deleted"), [(1, 1), (0, 0), (-1, 0)])
    def test_brake_stops_deletions_and_is_told(self, cluster: Cluster, brake: int, deleted: int) -> None:
        """Over all Projects together; the scan goes on. A dry run plans the same; an odd number deletes nothing."""
        cluster.jobs.hold(TEAM_A, *old("a", "b"))
        cluster.jobs.hold(TEAM_B, *old("c"))
        rules = RetentionPolicy(retention=60, failed_retention=60, max_deletions=brake, max_pending=0)

        planned, report = cluster.clean_up(rules, dry_run=True), cluster.clean_up(rules)

        assert (report.scanned, report.deleted, report.skipped) == (3, deleted, {"brake": 3 - deleted})
        assert planned.jobs == report.jobs

    @pytest.mark.parametrize(("begun", "skipped"), [([], {}), ([False], {"outOfTime": PAGE})], ids=["Project", "page"])
    def test_late_run_begins_nothing(self, cluster: Cluster, begun: list[bool], skipped: dict[str, int]) -> None:
        """No Project, no page, nor a Job: those that were looked at, and may go, wait for the next run."""
        cluster.namespaces = [project_namespace(TEAM_A)]
        cluster.jobs.hold(TEAM_A, *old(*(f"a{number:04}" for number in range(PAGE + 1))))
        asked = iter(begun)
        cluster.is_late = lambda: next(asked, True)

        report = cluster.clean_up()

        assert (report.truncated, report.scanned, report.skipped) == (True, PAGE * len(begun), skipped)

    @pytest.mark.parametrize("method", ["page", "delete"])
    def test_deadline_is_no_failure(self, cluster: Cluster, method: str) -> None:
        """The cluster's answer did not come in time."""
        cluster.jobs.hold(TEAM_A, *old("a"))
        cluster.jobs.before(method, raising(DeadlineExceeded("Too late.")))

        report = cluster.clean_up()

        assert (report.truncated, report.failures) == (True, [])

    def test_every_project_is_the_first_in_its_turn(self, cluster: Cluster) -> None:
        """Where one takes all the time or all the deletions, the others have theirs in another hour."""
        for project in (TEAM_A, TEAM_B, TEAM_C):
            cluster.jobs.hold(project, *old("a"))
        one = RetentionPolicy(retention=60, failed_retention=60, max_deletions=1, max_pending=0)

        first = [cluster.clean_up(one, dry_run=True, hours=hour).jobs[0].project for hour in range(3)]

        assert sorted(first) == ["team-a", "team-b", "team-c"]


class TestPages:
    """Lists that come in pages."""

    def test_forgotten_list_is_read_again(self, cluster: Cluster) -> None:
        """Once; what was looked at already is not counted twice."""
        two_pages(cluster)
        cluster.jobs.before("page", lambda: None, raising(PageTokenExpired("Too old.")))

        report = cluster.clean_up()

        assert (report.scanned, report.skipped, report.failures) == (PAGE + 1, {"young": PAGE + 1}, [])

    def test_list_that_is_forgotten_again_is_told(self, cluster: Cluster) -> None:
        """The Project's rest waits for the next run."""
        two_pages(cluster)
        expired = raising(PageTokenExpired("Too old."))
        cluster.jobs.before("page", lambda: None, expired, lambda: None, expired)

        report = cluster.clean_up()

        assert report.failures == [Failure("team-a", None, "page_token_expired")]
        assert reconciles(report)


class TestFailures:
    """What cannot be done."""

    def test_failing_project_does_not_stop_the_rest(self, cluster: Cluster) -> None:
        """Its error is told."""
        cluster.jobs.hold(TEAM_A, *old("a"))
        cluster.namespaces = [project_namespace(TEAM_A), project_namespace(ProjectName("closed"))]

        report = cluster.clean_up()

        assert (report.deleted, report.failed) == (1, 0)
        assert report.failures == [Failure("closed", None, Forbidden.code)]

    def test_failing_deletion_does_not_stop_the_rest(self, cluster: Cluster) -> None:
        """It is counted, named and tried again by the next run."""
        cluster.jobs.hold(TEAM_A, *old("a", "b"))
        cluster.jobs.before("delete", raising(ClusterUnavailable("Down.")))

        report = cluster.clean_up()

        assert (report.deleted, report.failed, len(cluster.jobs.names(TEAM_A))) == (1, 1, 1)
        assert [failure.code for failure in report.failures] == ["cluster_unavailable"]
        assert reconciles(report)


class TestPending:
    """Jobs that have waited for too long."""

    def waiting(self, name: str = "waits") -> Job:
        """A Job that could have started two hours ago."""
        return job(name, status=JobStatus(start_time=minutes_ago(120), active=1))

    def test_are_told_and_left_alone(self, cluster: Cluster) -> None:
        """With the reason in one word."""
        cluster.jobs.hold(TEAM_A, self.waiting(), job("suspended", spec=JobSpec(suspend=True)))
        cluster.jobs.all_pods = [
            (TEAM_A, pod("Pending", name="waits-abcde", owner="uid-of-waits", status=unscheduled()))
        ]

        report = cluster.clean_up()

        assert report.pending == 1
        assert report.pending_jobs == [PendingJob("team-a", "waits", 7200, "Unschedulable")]
        assert cluster.jobs.names(TEAM_A) == ["suspended", "waits"]

    def test_are_told_without_a_reason_where_there_is_none(self, cluster: Cluster) -> None:
        """Nobody knows, or the pods could not be read."""
        cluster.jobs.hold(TEAM_A, self.waiting())
        cluster.jobs.before("pods", raising(ClusterUnavailable("Down.")))

        report = cluster.clean_up()

        assert [(one.reason, report.failures) for one in report.pending_jobs] == [(None, [])]

    def test_not_all_are_named(self, cluster: Cluster) -> None:
        """All are counted, and the pods of a page's are asked for together."""
        cluster.jobs.hold(TEAM_A, *(self.waiting(f"a{number}") for number in range(MAX_NAMED)))
        cluster.jobs.hold(TEAM_B, self.waiting())

        report = cluster.clean_up()

        assert (report.pending, len(report.pending_jobs)) == (MAX_NAMED + 1, MAX_NAMED)
        assert len(cluster.jobs.asked_for_pods) == 2
