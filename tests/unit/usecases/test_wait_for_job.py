"""Waiting for a Job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.errors import ClusterUnavailable, Forbidden, JobNotFound
from chalicelib.domain.names import JobName, ProjectName
from chalicelib.usecases.wait_for_job import await_job
from tests.support.builders import TEAM_A, TRAIN_1, ended, job
from tests.support.fakes import FakeJobs, raising

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.job.view import JobView


class FakeChanges:
    """What happens to the Job while somebody waits, one thing after the other; then the time is over."""

    def __init__(self, *happenings: Callable[[], object]) -> None:
        self._happenings = [*happenings]
        self.known: list[str] = []

    def wait(self, project: ProjectName, name: JobName, version: str) -> bool:
        """Lets the next thing happen; False when there is none left."""
        assert (project, name) == (TEAM_A, TRAIN_1)
        self.known.append(version)
        if not self._happenings:
            return False
        self._happenings.pop(0)()
        return True


@pytest.fixture
def jobs() -> FakeJobs:
    """A cluster with one Job that waits."""
    cluster = FakeJobs()
    cluster.hold(TEAM_A, job(resource_version="1"))
    return cluster


def finishes(jobs: FakeJobs) -> Callable[[], None]:
    """The Job succeeds."""
    return lambda: jobs.hold(TEAM_A, job(resource_version="2", status=ended("Complete")))


def has_ended(view: JobView, version: str) -> bool:
    """What is waited for."""
    del version
    return view.status == "Succeeded"


def nothing() -> None:
    """A bell that rang for nothing."""


class TestAwaitJob:
    """One Job, now or later."""

    def test_what_holds_already_is_answered_at_once(self, jobs: FakeJobs) -> None:
        """Nobody waits."""
        changes = FakeChanges(nothing)

        view, version = await_job(TEAM_A, TRAIN_1, lambda view, _: view.status == "Pending", jobs, changes)

        assert (view.status, version, changes.known) == ("Pending", "1", [])

    def test_what_comes_is_answered_when_it_is_there(self, jobs: FakeJobs) -> None:
        """The Job is read again each time, whatever the bell rang for."""
        changes = FakeChanges(nothing, finishes(jobs), nothing)

        view, version = await_job(TEAM_A, TRAIN_1, has_ended, jobs, changes)

        assert (view.status, version, changes.known) == ("Succeeded", "2", ["1", "1"])

    def test_what_does_not_come_is_answered_as_it_is(self, jobs: FakeJobs) -> None:
        """When the time is over, after a last look."""
        changes = FakeChanges(nothing, nothing)

        view, version = await_job(TEAM_A, TRAIN_1, has_ended, jobs, changes)

        assert (view.status, version, len(changes.known)) == ("Pending", "1", 3)

    @pytest.mark.parametrize("error", [JobNotFound("gone"), ClusterUnavailable("down")])
    def test_a_look_that_fails_is_no_answer(self, jobs: FakeJobs, error: Exception) -> None:
        """The Job is gone, and will never end any more; or the cluster is."""
        changes = FakeChanges(lambda: jobs.before("find", raising(error)))

        with pytest.raises(type(error)):
            await_job(TEAM_A, TRAIN_1, has_ended, jobs, changes)

    def test_another_project_is_not_waited_for(self, jobs: FakeJobs) -> None:
        """The cluster refuses at the first look."""
        changes = FakeChanges(nothing)

        with pytest.raises(Forbidden):
            await_job(ProjectName("team-b"), TRAIN_1, has_ended, jobs, changes)

        assert changes.known == []
