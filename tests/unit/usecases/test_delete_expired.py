"""Delete one expired Job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.errors import (
    ClusterUnavailable,
    DeadlineExceeded,
    Forbidden,
    JobNotFound,
    PreconditionFailed,
    ResearcherError,
    StorageUnavailable,
)
from chalicelib.domain.finished.cleanup_report import Failure
from chalicelib.usecases.delete_expired import Ports, delete_expired
from tests.support.builders import NOW_MS, TEAM_A, TRAIN_1, finished, pod
from tests.support.fakes import FakeJobs, FakeReceipts, FakeRemains, raising

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import Pod

KEY = "receipts/team-a/2026/11/24/train-1-uid-of-train-1.json"


class Cluster:
    """A cluster with one finished Job, and its ports."""

    def __init__(self, *, is_late: bool = False) -> None:
        self.jobs = FakeJobs()
        self.job = finished(resource_version="7")
        self.jobs.hold(TEAM_A, self.job)
        self.finished_jobs = FakeRemains(self.jobs)
        self.receipts = FakeReceipts()
        self.ports = Ports(self.jobs, self.finished_jobs, self.receipts, lambda: is_late)


@pytest.fixture
def cluster() -> Cluster:
    """Return the cluster with time left."""
    return Cluster()


class TestDeleteExpired:
    """The Receipt, and then the Job."""

    def test_stores_a_receipt(self, cluster: Cluster) -> None:
        """The Job is deleted, and its Receipt has its nodes and the log tail."""
        cluster.jobs.all_pods = [(TEAM_A, pod("Succeeded", node="node-1"))]

        outcome = delete_expired(TEAM_A, cluster.job, cluster.ports)

        assert (outcome, cluster.jobs.names(TEAM_A)) == (None, [])
        assert list(cluster.receipts.stored) == [KEY]
        assert (cluster.receipts.stored[KEY].nodes, cluster.receipts.stored[KEY].log) == (["node-1"], "done\n")

    @pytest.mark.parametrize(
        ("other_pod", "log"),
        [
            pytest.param(pod("Failed", node="node-9", owner="uid-of-another"), "x", id="pod of an earlier Job"),
            pytest.param(pod("Succeeded"), None, id="lost node"),
        ],
    )
    def test_pod_or_log_may_be_missing(self, cluster: Cluster, other_pod: Pod, log: str | None) -> None:
        """The Job is deleted all the same, and pods of another Job are ignored."""
        cluster.jobs.all_pods = [(TEAM_A, other_pod)]
        cluster.finished_jobs.log = log

        assert delete_expired(TEAM_A, cluster.job, cluster.ports) is None
        assert (cluster.receipts.stored[KEY].nodes, cluster.receipts.stored[KEY].log) == ([], None)

    def test_late_or_already_deleted(self, cluster: Cluster) -> None:
        """If no time is left, no request is sent; a Job that another run has deleted is no failure."""
        late = Cluster(is_late=True)
        cluster.jobs.jobs.clear()

        outcomes = [delete_expired(TEAM_A, each.job, each.ports) for each in (late, cluster)]

        assert outcomes == ["outOfTime", "changed"]
        assert (late.jobs.names(TEAM_A), late.receipts.stored) == ([TRAIN_1], {})

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(finished(uid="uid-2", resource_version="7"), id="replaced"),
            pytest.param(finished(resource_version="8"), id="changed"),
        ],
    )
    def test_changed_job_is_skipped(self, cluster: Cluster, other: Job) -> None:
        """If uid or resource version has changed, the Job is not deleted and no Receipt is stored."""
        cluster.jobs.hold(TEAM_A, other)

        assert delete_expired(TEAM_A, cluster.job, cluster.ports) == "changed"
        assert (cluster.jobs.jobs[TEAM_A, TRAIN_1], cluster.receipts.stored) == (other, {})

    def test_job_that_changes_before_the_deletion_is_skipped(self, cluster: Cluster) -> None:
        """The deletion has preconditions."""
        other = finished(uid="uid-2", resource_version="9")
        cluster.jobs.before("delete", lambda: cluster.jobs.hold(TEAM_A, other))

        assert delete_expired(TEAM_A, cluster.job, cluster.ports) == "changed"
        assert cluster.jobs.jobs[TEAM_A, TRAIN_1] is other

    @pytest.mark.parametrize("error", [StorageUnavailable("S3 is down."), DeadlineExceeded("Too late.")])
    def test_job_is_not_deleted_without_a_receipt(self, cluster: Cluster, error: ResearcherError) -> None:
        """If the Receipt cannot be stored, the Job stays."""
        cluster.receipts.faults.append(raising(error))

        delete_expired(TEAM_A, cluster.job, cluster.ports)

        assert cluster.jobs.names(TEAM_A) == [TRAIN_1]

    @pytest.mark.parametrize(
        ("method", "error", "expected"),
        [
            ("find", ClusterUnavailable("Down."), Failure("team-a", "train-1", "cluster_unavailable")),
            ("pods", Forbidden("No."), Failure("team-a", "train-1", "forbidden")),
            ("delete", Forbidden("No."), Failure("team-a", "train-1", "forbidden")),
            ("delete", JobNotFound("Gone."), "changed"),
            ("delete", PreconditionFailed("Changed."), "changed"),
            ("delete", DeadlineExceeded("Too late."), "outOfTime"),
        ],
    )
    def test_returns_why_the_job_stays(self, cluster: Cluster, method: str, error: Exception, expected: object) -> None:
        """An error is that of one Job."""
        cluster.jobs.before(method, raising(error))

        assert expected == delete_expired(TEAM_A, cluster.job, cluster.ports)
        assert cluster.jobs.names(TEAM_A) == [TRAIN_1]

    def test_unexpected_error_is_reported_by_its_class(self, cluster: Cluster) -> None:
        """It does not end the run, and its text is not reported."""
        cluster.jobs.before("delete", raising(RuntimeError("hunter2")))

        failure = delete_expired(TEAM_A, cluster.job, cluster.ports)

        assert failure == Failure(TEAM_A, TRAIN_1, "internal_error", "RuntimeError")

    def test_second_run_keeps_the_first_receipt(self, cluster: Cluster) -> None:
        """After a failed deletion the next run does not replace the Receipt."""
        cluster.jobs.before("delete", raising(ClusterUnavailable("Down.")))
        delete_expired(TEAM_A, cluster.job, cluster.ports)
        first = cluster.receipts.stored[KEY]

        assert delete_expired(TEAM_A, cluster.job, cluster.ports) is None
        assert cluster.receipts.stored == {KEY: first}
        assert (first.created_at, first.started_at) == (NOW_MS, NOW_MS - 5 * 60_000)
