"""Suspend and resume a Job, with concurrent changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.domain.errors import ClusterUnavailable, Forbidden, JobFinished, JobNotFound, PreconditionFailed
from chalicelib.domain.kubernetes.jobs import Job, JobSpec
from chalicelib.domain.names import ProjectName
from chalicelib.usecases.suspend_job import resume_job, suspend_job
from chalicelib.usecases.update_job import ATTEMPTS
from tests.support.builders import TEAM_A, TRAIN_1, ended, job
from tests.support.fakes import FakeJobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.job.view import JobView

    Action = Callable[..., JobView]

ACTIONS = pytest.mark.parametrize(
    ("action", "suspended"),
    [pytest.param(suspend_job, True, id="suspend"), pytest.param(resume_job, False, id="resume")],
)


@pytest.fixture
def jobs() -> FakeJobs:
    """Return a cluster with one running Job."""
    cluster = FakeJobs()
    cluster.hold(TEAM_A, job(resource_version="7"))
    return cluster


def change(jobs: FakeJobs, version: str, **fields: Any) -> Callable[[], None]:  # noqa: ANN401 - any field
    """Return a function that changes the Job, as another client would."""
    return lambda: jobs.hold(TEAM_A, job(resource_version=version, **fields))


def stored(jobs: FakeJobs) -> Job:
    """Return the Job as stored in the cluster."""
    return jobs.jobs[TEAM_A, TRAIN_1]


class TestChange:
    """The change."""

    def test_suspends_and_resumes(self, jobs: FakeJobs) -> None:
        """The view is that of the changed Job, and a matching If-Match is accepted."""
        suspended = suspend_job(TEAM_A, TRAIN_1, "7", jobs)
        resumed = resume_job(TEAM_A, TRAIN_1, None, jobs)

        assert (suspended.status, resumed.status, stored(jobs).spec.suspend) == ("Suspended", "Pending", False)

    @ACTIONS
    def test_repeated_request_changes_nothing(self, jobs: FakeJobs, action: Action, suspended: bool) -> None:
        """The second response is the same."""
        first = action(TEAM_A, TRAIN_1, None, jobs)
        version = stored(jobs).metadata.resource_version

        second = action(TEAM_A, TRAIN_1, None, jobs)

        assert first == second
        assert (version, suspended) == (stored(jobs).metadata.resource_version, bool(stored(jobs).spec.suspend))


class TestConcurrentChanges:
    """Changes by other clients."""

    def test_conflict_is_retried(self, jobs: FakeJobs) -> None:
        """The Job controller updates the status often."""
        jobs.before("patch", change(jobs, "8"), change(jobs, "9"))

        assert suspend_job(TEAM_A, TRAIN_1, None, jobs).status == "Suspended"

    def test_job_that_finishes_is_not_changed(self, jobs: FakeJobs) -> None:
        """A finished Job is an error."""
        jobs.before("patch", change(jobs, "8", status=ended("Complete")))

        with pytest.raises(JobFinished):
            suspend_job(TEAM_A, TRAIN_1, None, jobs)

        assert (stored(jobs).metadata.resource_version, stored(jobs).spec.suspend) == ("8", None)

    def test_job_that_is_deleted(self, jobs: FakeJobs) -> None:
        """The error is JobNotFound."""
        jobs.before("patch", jobs.jobs.clear)

        with pytest.raises(JobNotFound):
            suspend_job(TEAM_A, TRAIN_1, None, jobs)

    def test_conflicts_are_retried_a_limited_number_of_times(self, jobs: FakeJobs) -> None:
        """After the last attempt the error has a Retry-After."""
        jobs.before("patch", *(change(jobs, str(8 + number)) for number in range(ATTEMPTS)))

        with pytest.raises(ClusterUnavailable):
            suspend_job(TEAM_A, TRAIN_1, None, jobs)

        assert stored(jobs).spec.suspend is None

    def test_conflict_with_if_match(self, jobs: FakeJobs) -> None:
        """If-Match no longer matches after a change in between."""
        jobs.before("patch", change(jobs, "8"))

        with pytest.raises(PreconditionFailed):
            suspend_job(TEAM_A, TRAIN_1, "7", jobs)

        assert stored(jobs).spec.suspend is None

    def test_retry_after_a_lost_response(self, jobs: FakeJobs) -> None:
        """If the first attempt has changed the Job, the retry succeeds in spite of If-Match."""
        jobs.before("patch", change(jobs, "8", spec=JobSpec(suspend=True)))

        assert suspend_job(TEAM_A, TRAIN_1, "7", jobs).status == "Suspended"

    @ACTIONS
    def test_replaced_job_with_if_match(self, jobs: FakeJobs, action: Action, suspended: bool) -> None:
        """A new Job with the same name does not match, even if it has the desired state."""
        jobs.before("patch", change(jobs, "8", uid="another", spec=JobSpec(suspend=suspended)))

        with pytest.raises(PreconditionFailed):
            action(TEAM_A, TRAIN_1, "7", jobs)

        assert stored(jobs).metadata.resource_version == "8"


class TestErrors:
    """Jobs that are not changed."""

    @ACTIONS
    def test_other_version_or_finished_job(self, jobs: FakeJobs, action: Action, suspended: bool) -> None:
        """If-Match does not match, or the Job has finished."""
        del suspended
        with pytest.raises(PreconditionFailed):
            action(TEAM_A, TRAIN_1, "6", jobs)
        assert stored(jobs).metadata.resource_version == "7"

        jobs.hold(TEAM_A, job(status=ended("Failed")))
        with pytest.raises(JobFinished):
            action(TEAM_A, TRAIN_1, None, jobs)
        assert stored(jobs).spec.suspend is None

    def test_other_project_is_forbidden(self, jobs: FakeJobs) -> None:
        """The error is Forbidden."""
        with pytest.raises(Forbidden):
            suspend_job(ProjectName("team-b"), TRAIN_1, None, jobs)
