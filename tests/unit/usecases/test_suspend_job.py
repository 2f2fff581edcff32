"""Suspending and resuming a Job, while others change it too."""

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

    Act = Callable[..., JobView]

ACTIONS = pytest.mark.parametrize(
    ("act", "suspended"), [pytest.param(suspend_job, True, id="suspend"), pytest.param(resume_job, False, id="resume")]
)


@pytest.fixture
def jobs() -> FakeJobs:
    """A cluster with one running Job."""
    cluster = FakeJobs()
    cluster.hold(TEAM_A, job(resource_version="7"))
    return cluster


def changed_to(jobs: FakeJobs, version: str, **fields: Any) -> Callable[[], None]:  # noqa: ANN401 - whatever a field holds
    """A seam in which somebody else changes the Job."""
    return lambda: jobs.hold(TEAM_A, job(resource_version=version, **fields))


def held(jobs: FakeJobs) -> Job:
    """The Job as the cluster has it."""
    return jobs.jobs[TEAM_A, TRAIN_1]


class TestChange:
    """What is written."""

    def test_suspends_and_resumes(self, jobs: FakeJobs) -> None:
        """The view is the one of after; If-Match holds."""
        suspended = suspend_job(TEAM_A, TRAIN_1, "7", jobs)
        resumed = resume_job(TEAM_A, TRAIN_1, None, jobs)

        assert (suspended.status, resumed.status, held(jobs).spec.suspend) == ("Suspended", "Pending", False)

    @ACTIONS
    def test_twice_is_once(self, jobs: FakeJobs, act: Act, suspended: bool) -> None:
        """The second time answers the same, and changes nothing."""
        first = act(TEAM_A, TRAIN_1, None, jobs)
        version = held(jobs).metadata.resource_version

        second = act(TEAM_A, TRAIN_1, None, jobs)

        assert first == second
        assert (version, suspended) == (held(jobs).metadata.resource_version, bool(held(jobs).spec.suspend))


class TestOthers:
    """What others do meanwhile."""

    def test_a_change_in_between_is_looked_at(self, jobs: FakeJobs) -> None:
        """The Job's controller writes its status often; the wish stays."""
        jobs.before("patch", changed_to(jobs, "8"), changed_to(jobs, "9"))

        assert suspend_job(TEAM_A, TRAIN_1, None, jobs).status == "Suspended"

    def test_a_finish_in_between_is_not_overwritten(self, jobs: FakeJobs) -> None:
        """The Job that has ended stays as it is."""
        jobs.before("patch", changed_to(jobs, "8", status=ended("Complete")))

        with pytest.raises(JobFinished):
            suspend_job(TEAM_A, TRAIN_1, None, jobs)

        assert (held(jobs).metadata.resource_version, held(jobs).spec.suspend) == ("8", None)

    def test_a_deletion_in_between_is_told(self, jobs: FakeJobs) -> None:
        """There is nothing to suspend any more."""
        jobs.before("patch", jobs.jobs.clear)

        with pytest.raises(JobNotFound):
            suspend_job(TEAM_A, TRAIN_1, None, jobs)

    def test_changes_without_end_end(self, jobs: FakeJobs) -> None:
        """After some attempts the caller is told to come back."""
        jobs.before("patch", *(changed_to(jobs, str(8 + number)) for number in range(ATTEMPTS)))

        with pytest.raises(ClusterUnavailable):
            suspend_job(TEAM_A, TRAIN_1, None, jobs)

        assert held(jobs).spec.suspend is None

    def test_a_change_in_between_breaks_a_condition(self, jobs: FakeJobs) -> None:
        """If-Match held when it was looked at, and no longer when it was written."""
        jobs.before("patch", changed_to(jobs, "8"))

        with pytest.raises(PreconditionFailed):
            suspend_job(TEAM_A, TRAIN_1, "7", jobs)

        assert held(jobs).spec.suspend is None

    def test_a_lost_answer_breaks_none(self, jobs: FakeJobs) -> None:
        """The change was written and its answer lost: what is there by now is what was asked for."""
        jobs.before("patch", changed_to(jobs, "8", spec=JobSpec(suspend=True)))

        assert suspend_job(TEAM_A, TRAIN_1, "7", jobs).status == "Suspended"

    @ACTIONS
    def test_another_job_of_that_name_meets_no_condition(self, jobs: FakeJobs, act: Act, suspended: bool) -> None:
        """The Job was deleted and made anew in between, as it was to become: it is not the one that If-Match names."""
        jobs.before("patch", changed_to(jobs, "8", uid="another", spec=JobSpec(suspend=suspended)))

        with pytest.raises(PreconditionFailed):
            act(TEAM_A, TRAIN_1, "7", jobs)

        assert held(jobs).metadata.resource_version == "8"


class TestRefused:
    """Jobs that stay as they are."""

    @ACTIONS
    def test_another_than_the_one_that_is_meant(self, jobs: FakeJobs, act: Act, suspended: bool) -> None:
        """Its version is not the one in If-Match, or it has finished: its end stands."""
        del suspended
        with pytest.raises(PreconditionFailed):
            act(TEAM_A, TRAIN_1, "6", jobs)
        assert held(jobs).metadata.resource_version == "7"

        jobs.hold(TEAM_A, job(status=ended("Failed")))
        with pytest.raises(JobFinished):
            act(TEAM_A, TRAIN_1, None, jobs)
        assert held(jobs).spec.suspend is None

    def test_one_of_another_project(self, jobs: FakeJobs) -> None:
        """The cluster refuses."""
        with pytest.raises(Forbidden):
            suspend_job(ProjectName("team-b"), TRAIN_1, None, jobs)
