"""Get a Job, wait for it, and explain why it is missing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from chalicelib.domain.errors import (
    ClusterUnavailable,
    Forbidden,
    JobCleanedUp,
    JobNotFound,
)
from chalicelib.domain.finished.receipt import build_receipt
from chalicelib.domain.kubernetes.jobs import Namespace
from chalicelib.domain.names import JobName, ProjectName
from chalicelib.usecases.get_job import await_job, explain_missing_job, get_job
from tests.support.builders import NOW, TEAM_A, TRAIN_1, ended, finished, job, meta, pod
from tests.support.fakes import FakeJobs, FakeReceipts, raising

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.job.view import JobView

TEAM_B = ProjectName("team-b")


class TestGetJob:
    """One Job."""

    def test_job_and_its_version(self, jobs: FakeJobs) -> None:
        """The version becomes the ETag."""
        jobs.hold(TEAM_A, job("train-1", resource_version="7"))
        jobs.all_pods += [(TEAM_A, pod("Running"))]

        shown, version = get_job(TEAM_A, TRAIN_1, jobs)

        assert (shown.name, shown.status, version) == ("train-1", "Running", "7")

    def test_pods_of_a_finished_job_tell_why(self, jobs: FakeJobs) -> None:
        """One Job is worth the call."""
        jobs.hold(TEAM_A, job("train-1", status=ended("Failed", "BackoffLimitExceeded")))

        get_job(TEAM_A, TRAIN_1, jobs)

        assert jobs.asked_for_pods == [["train-1"]]

    def test_missing_job(self) -> None:
        """It may have been cleaned up."""
        with pytest.raises(JobNotFound, match="The Project team-a has no Job named a"):
            get_job(TEAM_A, JobName("a"), FakeJobs())

    def test_other_teams_project_is_refused(self, jobs: FakeJobs) -> None:
        """Whether the Job exists is not told."""
        jobs.hold(TEAM_B, job("a"))

        for name in ("a", "b"):
            with pytest.raises(Forbidden):
                get_job(TEAM_B, JobName(name), jobs)


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

    @pytest.fixture
    def jobs(self) -> FakeJobs:
        """A cluster with one Job that waits."""
        cluster = FakeJobs()
        cluster.hold(TEAM_A, job(resource_version="1"))
        return cluster

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


MISSING = JobNotFound("The Project has no such Job.")


class Since:
    """A cluster whose Projects all have namespaces of one age."""

    def __init__(self, moment: datetime | None) -> None:
        self._moment = moment

    def namespace(self, project: ProjectName) -> Namespace:
        """The Project's namespace."""
        return Namespace(metadata=meta(f"researcher-{project}", creation_timestamp=self._moment))


def test_without_receipt_it_was_never_there() -> None:
    """Or somebody deleted it."""
    assert explain_missing_job(MISSING, TEAM_A, TRAIN_1, FakeReceipts(), Since(NOW)) is MISSING


@pytest.mark.parametrize(
    ("later", "found"),
    [
        pytest.param(timedelta(days=-1), JobCleanedUp, id="the Project's own"),
        pytest.param(timedelta(), JobCleanedUp, id="of the same second"),
        pytest.param(timedelta(seconds=1), JobNotFound, id="of an earlier Project of that name"),
        pytest.param(None, JobNotFound, id="nobody knows since when the Project exists"),
    ],
)
def test_receipt_belongs_to_the_project_of_its_time(later: timedelta | None, found: type) -> None:
    """A Project that is deleted and made anew, perhaps for another team, shows no logs of before."""
    receipts = FakeReceipts()
    kept = build_receipt(TEAM_A, msgspec.to_builtins(finished(creation_timestamp=NOW)), [], None)
    receipts.store(kept)

    error = explain_missing_job(MISSING, TEAM_A, TRAIN_1, receipts, Since(None if later is None else NOW + later))

    assert type(error) is found
    assert getattr(error.problem(), "receipt", None) == (kept if found is JobCleanedUp else None)
