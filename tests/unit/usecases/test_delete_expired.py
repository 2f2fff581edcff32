"""Delete one Job whose retention is over."""

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
    """A cluster with one finished Job, and the ports to it."""

    def __init__(self, *, is_late: bool = False) -> None:
        self.jobs = FakeJobs()
        self.job = finished(resource_version="7")
        self.jobs.hold(TEAM_A, self.job)
        self.remains = FakeRemains(self.jobs)
        self.receipts = FakeReceipts()
        self.ports = Ports(self.jobs, self.remains, self.receipts, lambda: is_late)


@pytest.fixture
def cluster() -> Cluster:
    """The same, with time left."""
    return Cluster()


class TestDeleteExpired:
    """The Receipt, then the Job."""

    def test_keeps_a_receipt(self, cluster: Cluster) -> None:
        """The Job is gone, and its Receipt tells of its pods and of the end of the log."""
        cluster.jobs.all_pods = [(TEAM_A, pod("Succeeded", node="node-1"))]

        outcome = delete_expired(TEAM_A, cluster.job, cluster.ports)

        assert (outcome, cluster.jobs.names(TEAM_A)) == (None, [])
        assert list(cluster.receipts.stored) == [KEY]
        assert (cluster.receipts.stored[KEY].nodes, cluster.receipts.stored[KEY].log) == (["node-1"], "done\n")

    @pytest.mark.parametrize(
        ("told", "log"),
        [
            pytest.param(pod("Failed", node="node-9", owner="uid-of-another"), "x", id="an earlier Job of its name"),
            pytest.param(pod("Succeeded"), None, id="a node that is gone"),
        ],
    )
    def test_needs_no_log(self, cluster: Cluster, told: Pod, log: str | None) -> None:
        """Whatever is missing stops no cleanup, and nothing of another Job is told."""
        cluster.jobs.all_pods = [(TEAM_A, told)]
        cluster.remains.log = log

        assert delete_expired(TEAM_A, cluster.job, cluster.ports) is None
        assert (cluster.receipts.stored[KEY].nodes, cluster.receipts.stored[KEY].log) == ([], None)

    def test_asks_nothing_when_it_is_late_or_too_late(self, cluster: Cluster) -> None:
        """No time is left; or another run was faster, which is no failure."""
        late = Cluster(is_late=True)
        cluster.jobs.jobs.clear()

        outcomes = [delete_expired(TEAM_A, one.job, one.ports) for one in (late, cluster)]

        assert outcomes == ["outOfTime", "changed"]
        assert (late.jobs.names(TEAM_A), late.receipts.stored) == ([TRAIN_1], {})

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(finished(uid="uid-2", resource_version="7"), id="made anew under its name"),
            pytest.param(finished(resource_version="8"), id="changed"),
        ],
    )
    def test_leaves_another_job_alone(self, cluster: Cluster, other: Job) -> None:
        """What was decided upon is not there any more: no deletion and no Receipt."""
        cluster.jobs.hold(TEAM_A, other)

        assert delete_expired(TEAM_A, cluster.job, cluster.ports) == "changed"
        assert (cluster.jobs.jobs[TEAM_A, TRAIN_1], cluster.receipts.stored) == (other, {})

    def test_leaves_it_when_it_changes_at_the_last_moment(self, cluster: Cluster) -> None:
        """Between the Receipt and the deletion, too."""
        other = finished(uid="uid-2", resource_version="9")
        cluster.jobs.before("delete", lambda: cluster.jobs.hold(TEAM_A, other))

        assert delete_expired(TEAM_A, cluster.job, cluster.ports) == "changed"
        assert cluster.jobs.jobs[TEAM_A, TRAIN_1] is other

    @pytest.mark.parametrize("error", [StorageUnavailable("S3 is down."), DeadlineExceeded("Too late.")])
    def test_nothing_goes_without_its_receipt(self, cluster: Cluster, error: ResearcherError) -> None:
        """Whatever keeps it from being stored."""
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
    def test_tells_why_it_stays(self, cluster: Cluster, method: str, error: Exception, expected: object) -> None:
        """A refusal is that Job's alone."""
        cluster.jobs.before(method, raising(error))

        assert expected == delete_expired(TEAM_A, cluster.job, cluster.ports)
        assert cluster.jobs.names(TEAM_A) == [TRAIN_1]

    def test_unforeseen_error_is_named_by_its_class(self, cluster: Cluster) -> None:
        """It ends no run of the cleanup, and its text, which may hold anything, is not told."""
        cluster.jobs.before("delete", raising(RuntimeError("hunter2")))

        failure = delete_expired(TEAM_A, cluster.job, cluster.ports)

        assert failure == Failure(TEAM_A, TRAIN_1, "internal_error", "RuntimeError")

    def test_second_run_keeps_the_first_receipt(self, cluster: Cluster) -> None:
        """Where the deletion failed, the Receipt is there already."""
        cluster.jobs.before("delete", raising(ClusterUnavailable("Down.")))
        delete_expired(TEAM_A, cluster.job, cluster.ports)
        first = cluster.receipts.stored[KEY]

        assert delete_expired(TEAM_A, cluster.job, cluster.ports) is None
        assert cluster.receipts.stored == {KEY: first}
        assert (first.created_at, first.started_at) == (NOW_MS, NOW_MS - 5 * 60_000)
