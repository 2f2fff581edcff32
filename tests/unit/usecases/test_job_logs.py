"""Get a Job's log."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors import Forbidden, JobNotFound, JobNotStarted, LogGone, NodeUnavailable, ResearcherError
from chalicelib.domain.failure_reasons import FailureReason, note_reason
from chalicelib.domain.job.log_query import LogQuery
from chalicelib.domain.job.logs import LOG_GONE, NODE_GONE, NODE_LOST, ContainerRun
from chalicelib.domain.kubernetes.jobs import Container, JobSpec
from chalicelib.domain.labels import COMPLETION_INDEX_LABEL
from chalicelib.domain.names import ProjectName
from chalicelib.usecases.job_logs import Log, job_log
from tests.support.builders import TEAM_A, TRAIN_1, disrupted, job, pod, running
from tests.support.fakes import FakeJobs, FakePods

TEAM_B = ProjectName("team-b")


@pytest.fixture
def jobs() -> FakeJobs:
    """Return a cluster with one Job of team A."""
    found = FakeJobs()
    found.hold(TEAM_A, job())
    return found


@pytest.fixture
def pods() -> FakePods:
    """Return its running pod with a log."""
    found = FakePods()
    found.pods.append(pod("Running", status=running(), containers=[Container(name="main")]))
    found.logs["train-1-abcde"] = b"epoch 1\nepoch 2\n"
    return found


class TestJobLog:
    """The end of a pod's log."""

    def test_of_its_pod(self, jobs: FakeJobs, pods: FakePods) -> None:
        """The result has the name of the pod."""
        found = job_log(TEAM_A, TRAIN_1, LogQuery(), jobs, pods)

        assert found == Log("train-1-abcde", b"epoch 1\nepoch 2\n")
        assert pods.attempts == [ContainerRun("train-1-abcde", "main")]

    def test_last_bytes(self, jobs: FakeJobs, pods: FakePods) -> None:
        """The log is limited to the requested size."""
        assert job_log(TEAM_A, TRAIN_1, LogQuery(limit_bytes=9), jobs, pods).content == b"epoch 2\n"

    def test_of_an_index(self, jobs: FakeJobs, pods: FakePods) -> None:
        """Only pods of the index are requested."""
        jobs.hold(TEAM_A, job(spec=JobSpec(completion_mode="Indexed", completions=2)))
        index_annotation = {COMPLETION_INDEX_LABEL: "1"}
        second = pod(
            "Running",
            status=running(),
            containers=[Container(name="main")],
            name="train-1-1",
            annotations=index_annotation,
        )
        pods.pods.append(second)
        pods.logs["train-1-1"] = b"one\n"

        assert job_log(TEAM_A, TRAIN_1, LogQuery(index=1), jobs, pods) == Log("train-1-1", b"one\n")

    def test_pod_of_an_earlier_job_is_ignored(self, jobs: FakeJobs, pods: FakePods) -> None:
        """Its owner has another uid."""
        pods.pods = [pod("Running", status=running(), owner="uid-of-an-earlier-job")]

        with pytest.raises(JobNotStarted):
            job_log(TEAM_A, TRAIN_1, LogQuery(), jobs, pods)

    @pytest.mark.parametrize(
        ("phase", "condition", "error", "detail"),
        [
            ("Running", "DeletionByTaintManager", NodeUnavailable("x", retry_after=30), NODE_LOST),
            ("Failed", "DeletionByPodGC", NodeUnavailable("x", retry_after=30), NODE_GONE),
            ("Running", "DeletionByTaintManager", LogGone(LOG_GONE), NODE_GONE),
            ("Running", "PreemptionByScheduler", LogGone(LOG_GONE), LOG_GONE),
            ("Running", "none", NodeUnavailable("x", retry_after=30), "x"),
        ],
    )
    def test_lost_node(self, phase: str, condition: str, error: ResearcherError, detail: str) -> None:
        """A log that was lost with its node is not offered for later, and one that may come back is."""
        jobs, pods = FakeJobs(), FakePods()
        jobs.hold(TEAM_A, job())
        status = running()
        status.conditions = disrupted(condition).conditions
        pods.pods = [pod(phase, status=status, containers=[Container(name="main")])]
        pods.logs["train-1-abcde"] = note_reason(error, FailureReason.READ_TIMEOUT) if error.retry_after else error

        with pytest.raises(LogGone if detail in {LOG_GONE, NODE_GONE} else NodeUnavailable) as raised:
            job_log(TEAM_A, TRAIN_1, LogQuery(), jobs, pods)

        assert raised.value.detail == detail
        expected = (30, "read_timeout") if raised.type is NodeUnavailable else (None, None)
        assert (raised.value.retry_after, raised.value.why) == expected

    def test_missing_job(self, pods: FakePods) -> None:
        """No log is read; in another team's Project the error is Forbidden."""
        with pytest.raises(Forbidden):
            job_log(TEAM_B, TRAIN_1, LogQuery(), FakeJobs(TEAM_A), pods)
        with pytest.raises(JobNotFound):
            job_log(TEAM_A, TRAIN_1, LogQuery(), FakeJobs(), pods)

        assert pods.attempts == []
