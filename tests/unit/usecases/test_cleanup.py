"""Clean up: which Jobs are deleted, in which order, and what the report contains."""

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
POLICY = RetentionPolicy(retention=60, failed_retention=60, max_deletions=1000, max_pending=3600)
EXPIRED_AT = minutes_ago(2)


class Cluster:
    """A cluster with three Projects, and its cleanup."""

    def __init__(self) -> None:
        self.jobs = FakeJobs(TEAM_A, TEAM_B, TEAM_C)
        self.receipts = FakeReceipts()
        self.namespaces = [project_namespace(single) for single in (TEAM_C, TEAM_A, TEAM_B)]
        self.is_late: Callable[[], bool] = lambda: False

    def clean_up(self, policy: RetentionPolicy = POLICY, *, dry_run: bool = False, hours: int = 0) -> CleanupReport:
        """Clean up *hours* after NOW, and return the report."""
        ports = Ports(self.jobs, FakeRemains(self.jobs), self.receipts, self.is_late)
        return clean_up(self.namespaces, policy, NOW + timedelta(hours=hours), ports, dry_run=dry_run)


@pytest.fixture
def cluster() -> Cluster:
    """Return the cluster without Jobs."""
    return Cluster()


def expired(*names: str, **fields: Any) -> list[Job]:  # noqa: ANN401 - any field
    """Return finished Jobs whose retention has expired."""
    return [finished(name=name, at=EXPIRED_AT, **fields) for name in names]


def hold_two_pages(cluster: Cluster) -> None:
    """Add one Project, with one recent Job more than a page."""
    cluster.jobs.hold(TEAM_A, *(finished(name=f"a{number:04}") for number in range(PAGE + 1)))
    cluster.namespaces = [project_namespace(TEAM_A)]


def reconciles(report: CleanupReport) -> bool:
    """Return whether every scanned Job is counted once."""
    return report.scanned == report.deleted + report.failed + sum(report.skipped.values())


class TestCleanUp:
    """A run."""

    def test_deletes_only_expired_jobs(self, cluster: Cluster) -> None:
        """In all Projects; each Job that stays is counted by its reason."""
        cluster.jobs.hold(TEAM_A, *expired("a", "b"), finished(name="young"), *expired("foreign", labels={}))
        cluster.jobs.hold(TEAM_B, *expired("c"), job("running", labels={MANAGED_BY_LABEL: MANAGED_BY_VALUE}))

        report = cluster.clean_up()

        assert (cluster.jobs.names(TEAM_A), cluster.jobs.names(TEAM_B)) == (["foreign", "young"], ["running"])
        assert (report.scanned, report.eligible, report.deleted, report.failed) == (6, 3, 3, 0)
        assert report.skipped == {"young": 1, "foreign": 1, "notFinished": 1}
        assert sorted(report.jobs, key=lambda single: single.name) == [
            NamedJob("team-a", "a"), NamedJob("team-a", "b"), NamedJob("team-b", "c")
        ]  # fmt: skip
        assert len(cluster.receipts.stored) == 3

    def test_without_jobs_or_projects(self, cluster: Cluster) -> None:
        """The report is empty."""
        assert cluster.clean_up() == CleanupReport(dry_run=False)
        cluster.namespaces = []
        assert cluster.clean_up() == CleanupReport(dry_run=False)

    def test_project_overrides_the_retention(self, cluster: Cluster) -> None:
        """The annotation of the namespace applies."""
        cluster.namespaces = [project_namespace(TEAM_A, **{RETENTION_ANNOTATION: "1h"}), project_namespace(TEAM_B)]
        cluster.jobs.hold(TEAM_A, *expired("stays"))
        cluster.jobs.hold(TEAM_B, *expired("goes"))

        cluster.clean_up()

        assert (cluster.jobs.names(TEAM_A), cluster.jobs.names(TEAM_B)) == (["stays"], [])

    def test_invalid_retention(self, cluster: Cluster) -> None:
        """The Jobs stay. The failure is reported once for a Project, and for each Job with its own annotation."""
        cluster.namespaces = [project_namespace(TEAM_A, **{RETENTION_ANNOTATION: "a while"})]
        cluster.jobs.hold(TEAM_A, *expired("a", "b"), *expired("c", annotations={RETENTION_ANNOTATION: "soon"}))

        report = cluster.clean_up()

        assert (cluster.jobs.names(TEAM_A), report.skipped) == (["a", "b", "c"], {"unreadableRetention": 3})
        assert report.failures == [
            Failure("team-a", None, "unreadable_retention"),
            Failure("team-a", "c", "unreadable_retention"),
        ]
        assert reconciles(report)


class TestUnexpectedErrors:
    """Errors of any class."""

    @pytest.mark.parametrize("method", ["page", "delete"])
    def test_do_not_end_the_run(self, cluster: Cluster, method: str) -> None:
        """Each is reported by its class, and the other Projects are cleaned up."""
        cluster.jobs.hold(TEAM_A, *expired("a"))
        cluster.jobs.hold(TEAM_B, *expired("b"))
        cluster.jobs.before(method, raising(RuntimeError("hunter2")))

        report = cluster.clean_up()

        (failure,) = report.failures
        assert (failure.code, failure.error, report.deleted) == ("internal_error", "RuntimeError", 1)
        assert reconciles(report)

    def test_do_not_end_the_project(self, cluster: Cluster) -> None:
        """A malformed Job stays, and the next one is deleted."""
        cluster.jobs.hold(TEAM_A, finished(name="a", at=EXPIRED_AT.replace(tzinfo=None)), *expired("b"))

        report = cluster.clean_up()

        assert report.failures == [Failure("team-a", "a", "internal_error", "TypeError")]
        assert (cluster.jobs.names(TEAM_A), reconciles(report)) == (["a"], True)


class TestDryRun:
    """A dry run."""

    def test_changes_nothing(self, cluster: Cluster) -> None:
        """No Job is deleted, and no Receipt is stored."""
        cluster.jobs.hold(TEAM_A, *expired("a"))
        cluster.jobs.before("delete", raising(AssertionError("a dry run deletes nothing")))

        report = cluster.clean_up(dry_run=True)

        assert (report.deleted, report.eligible, report.skipped) == (0, 1, {"dryRun": 1})
        assert (cluster.jobs.names(TEAM_A), cluster.receipts.stored) == (["a"], {})


class TestBounds:
    """The limits of a run."""

    @pytest.mark.parametrize(("limit", "deleted"), [(1, 1), (0, 0), (-1, 0)])
    def test_deletion_limit(self, cluster: Cluster, limit: int, deleted: int) -> None:
        """The limit is for all Projects together, and the scan continues; a dry run reports the same."""
        cluster.jobs.hold(TEAM_A, *expired("a", "b"))
        cluster.jobs.hold(TEAM_B, *expired("c"))
        policy = RetentionPolicy(retention=60, failed_retention=60, max_deletions=limit, max_pending=0)

        planned, report = cluster.clean_up(policy, dry_run=True), cluster.clean_up(policy)

        assert (report.scanned, report.deleted, report.skipped) == (3, deleted, {"brake": 3 - deleted})
        assert planned.jobs == report.jobs

    @pytest.mark.parametrize(
        ("is_late_results", "skipped"), [([], {}), ([False], {"outOfTime": PAGE})], ids=["Project", "page"]
    )
    def test_late_run_stops(self, cluster: Cluster, is_late_results: list[bool], skipped: dict[str, int]) -> None:
        """It begins no other Project, page or Job; expired Jobs that were scanned wait for the next run."""
        cluster.namespaces = [project_namespace(TEAM_A)]
        cluster.jobs.hold(TEAM_A, *expired(*(f"a{number:04}" for number in range(PAGE + 1))))
        remaining = iter(is_late_results)
        cluster.is_late = lambda: next(remaining, True)

        report = cluster.clean_up()

        assert (report.truncated, report.scanned, report.skipped) == (True, PAGE * len(is_late_results), skipped)

    @pytest.mark.parametrize("method", ["page", "delete"])
    def test_deadline_is_no_failure(self, cluster: Cluster, method: str) -> None:
        """A response of the cluster came too late."""
        cluster.jobs.hold(TEAM_A, *expired("a"))
        cluster.jobs.before(method, raising(DeadlineExceeded("Too late.")))

        report = cluster.clean_up()

        assert (report.truncated, report.failures) == (True, [])

    def test_projects_are_rotated(self, cluster: Cluster) -> None:
        """A Project that takes all the time or deletions does not starve the others."""
        for project in (TEAM_A, TEAM_B, TEAM_C):
            cluster.jobs.hold(project, *expired("a"))
        single = RetentionPolicy(retention=60, failed_retention=60, max_deletions=1, max_pending=0)

        first = [cluster.clean_up(single, dry_run=True, hours=hour).jobs[0].project for hour in range(3)]

        assert sorted(first) == ["team-a", "team-b", "team-c"]


class TestPages:
    """Pages of a list."""

    def test_expired_page_token_restarts_the_list(self, cluster: Cluster) -> None:
        """The list is read once again, and no Job is counted twice."""
        hold_two_pages(cluster)
        cluster.jobs.before("page", lambda: None, raising(PageTokenExpired("Too old.")))

        report = cluster.clean_up()

        assert (report.scanned, report.skipped, report.failures) == (PAGE + 1, {"young": PAGE + 1}, [])

    def test_second_expired_page_token(self, cluster: Cluster) -> None:
        """It is reported, and the rest of the Project waits for the next run."""
        hold_two_pages(cluster)
        expired = raising(PageTokenExpired("Too old."))
        cluster.jobs.before("page", lambda: None, expired, lambda: None, expired)

        report = cluster.clean_up()

        assert report.failures == [Failure("team-a", None, "page_token_expired")]
        assert reconciles(report)


class TestFailures:
    """Failures of single Projects and Jobs."""

    def test_failing_project_does_not_stop_the_rest(self, cluster: Cluster) -> None:
        """The error is reported."""
        cluster.jobs.hold(TEAM_A, *expired("a"))
        cluster.namespaces = [project_namespace(TEAM_A), project_namespace(ProjectName("closed"))]

        report = cluster.clean_up()

        assert (report.deleted, report.failed) == (1, 0)
        assert report.failures == [Failure("closed", None, Forbidden.code)]

    def test_failing_deletion_does_not_stop_the_rest(self, cluster: Cluster) -> None:
        """It is counted and reported, and the next run tries again."""
        cluster.jobs.hold(TEAM_A, *expired("a", "b"))
        cluster.jobs.before("delete", raising(ClusterUnavailable("Down.")))

        report = cluster.clean_up()

        assert (report.deleted, report.failed, len(cluster.jobs.names(TEAM_A))) == (1, 1, 1)
        assert [failure.code for failure in report.failures] == ["cluster_unavailable"]
        assert reconciles(report)


class TestPending:
    """Jobs that have been pending for too long."""

    def pending(self, name: str = "waits") -> Job:
        """Return a Job that has been pending for two hours."""
        return job(name, status=JobStatus(start_time=minutes_ago(120), active=1))

    def test_are_reported(self, cluster: Cluster) -> None:
        """The report has their reason; they are not changed."""
        cluster.jobs.hold(TEAM_A, self.pending(), job("suspended", spec=JobSpec(suspend=True)))
        cluster.jobs.all_pods = [
            (TEAM_A, pod("Pending", name="waits-abcde", owner="uid-of-waits", status=unscheduled()))
        ]

        report = cluster.clean_up()

        assert report.pending == 1
        assert report.pending_jobs == [PendingJob("team-a", "waits", 7200, "Unschedulable")]
        assert cluster.jobs.names(TEAM_A) == ["suspended", "waits"]

    def test_are_reported_without_a_reason(self, cluster: Cluster) -> None:
        """There is none, or the pods cannot be read."""
        cluster.jobs.hold(TEAM_A, self.pending())
        cluster.jobs.before("pods", raising(ClusterUnavailable("Down.")))

        report = cluster.clean_up()

        assert [(single.reason, report.failures) for single in report.pending_jobs] == [(None, [])]

    def test_number_of_names_is_limited(self, cluster: Cluster) -> None:
        """All are counted, and the pods of a page are read in one request."""
        cluster.jobs.hold(TEAM_A, *(self.pending(f"a{number}") for number in range(MAX_NAMED)))
        cluster.jobs.hold(TEAM_B, self.pending())

        report = cluster.clean_up()

        assert (report.pending, len(report.pending_jobs)) == (MAX_NAMED + 1, MAX_NAMED)
        assert len(cluster.jobs.pod_requests) == 2
