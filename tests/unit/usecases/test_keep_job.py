"""Keep a Job, with concurrent changes."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors import Forbidden, JobNotFound, PreconditionFailed
from chalicelib.domain.kubernetes.jobs import JobSpec
from chalicelib.domain.names import ProjectName
from chalicelib.usecases.keep_job import keep_job, unkeep_job
from tests.support.builders import NOW, TEAM_A, TRAIN_1, finished, job
from tests.support.fakes import FakeJobs

JOB = finished(resource_version="7", spec=JobSpec(ttl_seconds_after_finished=864000))


@pytest.fixture
def jobs() -> FakeJobs:
    """Return a cluster with one finished Job."""
    cluster = FakeJobs()
    cluster.hold(TEAM_A, JOB)
    return cluster


def test_keeps_and_stops_keeping(jobs: FakeJobs) -> None:
    """Each returns the Job as it is afterwards, and repeating it changes nothing."""
    kept = [keep_job(TEAM_A, TRAIN_1, version, jobs).keep for version in ("7", None)]
    held = jobs.jobs[TEAM_A, TRAIN_1].spec.ttl_seconds_after_finished
    released = [unkeep_job(TEAM_A, TRAIN_1, None, NOW, jobs).keep for _ in range(2)]

    assert (kept, held, released) == ([True, True], None, [False, False])
    assert jobs.jobs[TEAM_A, TRAIN_1].spec == JOB.spec


def test_another_version_is_not_changed(jobs: FakeJobs) -> None:
    """If-Match does not match, and the Job is not changed."""
    with pytest.raises(PreconditionFailed):
        keep_job(TEAM_A, TRAIN_1, "6", jobs)

    assert jobs.jobs[TEAM_A, TRAIN_1] == JOB


def test_concurrent_change_is_not_overwritten(jobs: FakeJobs) -> None:
    """The label of the other writer stays."""
    jobs.before("patch", lambda: jobs.hold(TEAM_A, finished(resource_version="8", labels={"team": "a"})))

    assert keep_job(TEAM_A, TRAIN_1, None, jobs).keep
    assert jobs.jobs[TEAM_A, TRAIN_1].metadata.labels["team"] == "a"


def test_missing_job_and_forbidden_project(jobs: FakeJobs) -> None:
    """Nothing is created for them."""
    jobs.jobs.clear()
    with pytest.raises(JobNotFound):
        keep_job(TEAM_A, TRAIN_1, None, jobs)
    with pytest.raises(Forbidden):
        unkeep_job(ProjectName("team-b"), TRAIN_1, None, NOW, jobs)

    jobs.hold(TEAM_A, job())
    assert not unkeep_job(TEAM_A, TRAIN_1, None, NOW, jobs).keep
