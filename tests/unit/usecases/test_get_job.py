"""Get a Job, wait for it, and explain why it does not exist."""

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
        """The ETag is derived from the resource version."""
        jobs.hold(TEAM_A, job("train-1", resource_version="7"))
        jobs.all_pods += [(TEAM_A, pod("Running"))]

        view, version = get_job(TEAM_A, TRAIN_1, jobs)

        assert (view.name, view.status, version) == ("train-1", "Running", "7")

    def test_pods_of_a_finished_job_are_read(self, jobs: FakeJobs) -> None:
        """They have the reason why it failed."""
        jobs.hold(TEAM_A, job("train-1", status=ended("Failed", "BackoffLimitExceeded")))

        get_job(TEAM_A, TRAIN_1, jobs)

        assert jobs.pod_requests == [["train-1"]]

    def test_missing_job(self) -> None:
        """The error is JobNotFound."""
        with pytest.raises(JobNotFound, match="The Project team-a has no Job named a"):
            get_job(TEAM_A, JobName("a"), FakeJobs())

    def test_other_teams_project_is_forbidden(self, jobs: FakeJobs) -> None:
        """The error is the same whether the Job exists or not."""
        jobs.hold(TEAM_B, job("a"))

        for name in ("a", "b"):
            with pytest.raises(Forbidden):
                get_job(TEAM_B, JobName(name), jobs)


class FakeChanges:
    """Changes of the Job, one for each wait; then the time is over."""

    def __init__(self, *changes_made: Callable[[], object]) -> None:
        self._changes = [*changes_made]
        self.versions: list[str] = []

    def wait(self, project: ProjectName, name: JobName, version: str) -> bool:
        """Make the next change; return False if there is none left."""
        assert (project, name) == (TEAM_A, TRAIN_1)
        self.versions.append(version)
        if not self._changes:
            return False
        self._changes.pop(0)()
        return True


def finish(jobs: FakeJobs) -> Callable[[], None]:
    """Return a function that lets the Job succeed."""
    return lambda: jobs.hold(TEAM_A, job(resource_version="2", status=ended("Complete")))


def has_succeeded(view: JobView, version: str) -> bool:
    """Return whether the Job has succeeded."""
    del version
    return view.status == "Succeeded"


def no_change() -> None:
    """Change nothing, as after an event of another field."""


class TestAwaitJob:
    """Waiting for a Job."""

    @pytest.fixture
    def jobs(self) -> FakeJobs:
        """Return a cluster with one pending Job."""
        cluster = FakeJobs()
        cluster.hold(TEAM_A, job(resource_version="1"))
        return cluster

    def test_condition_that_holds_returns_at_once(self, jobs: FakeJobs) -> None:
        """No wait is needed."""
        changes = FakeChanges(no_change)

        view, version = await_job(TEAM_A, TRAIN_1, lambda view, _: view.status == "Pending", jobs, changes)

        assert (view.status, version, changes.versions) == ("Pending", "1", [])

    def test_returns_when_the_condition_holds(self, jobs: FakeJobs) -> None:
        """The Job is read again after each event."""
        changes = FakeChanges(no_change, finish(jobs), no_change)

        view, version = await_job(TEAM_A, TRAIN_1, has_succeeded, jobs, changes)

        assert (view.status, version, changes.versions) == ("Succeeded", "2", ["1", "1"])

    def test_returns_when_the_time_is_over(self, jobs: FakeJobs) -> None:
        """The Job is returned as it is after a last read."""
        changes = FakeChanges(no_change, no_change)

        view, version = await_job(TEAM_A, TRAIN_1, has_succeeded, jobs, changes)

        assert (view.status, version, len(changes.versions)) == ("Pending", "1", 3)

    @pytest.mark.parametrize("error", [JobNotFound("gone"), ClusterUnavailable("down")])
    def test_error_is_raised(self, jobs: FakeJobs, error: Exception) -> None:
        """The Job was deleted, or the cluster is unavailable."""
        changes = FakeChanges(lambda: jobs.before("find", raising(error)))

        with pytest.raises(type(error)):
            await_job(TEAM_A, TRAIN_1, has_succeeded, jobs, changes)

    def test_forbidden_project(self, jobs: FakeJobs) -> None:
        """The first read raises the error."""
        changes = FakeChanges(no_change)

        with pytest.raises(Forbidden):
            await_job(ProjectName("team-b"), TRAIN_1, has_succeeded, jobs, changes)

        assert changes.versions == []


MISSING = JobNotFound("The Project has no such Job.")


class ProjectsCreatedAt:
    """A cluster whose Projects were created at one time."""

    def __init__(self, created_at: datetime | None) -> None:
        self._moment = created_at

    def namespace(self, project: ProjectName) -> Namespace:
        """Return the Project's namespace."""
        return Namespace(metadata=meta(f"researcher-{project}", creation_timestamp=self._moment))


def test_without_a_receipt() -> None:
    """The Job never existed, or a user deleted it."""
    assert explain_missing_job(MISSING, TEAM_A, TRAIN_1, FakeReceipts(), ProjectsCreatedAt(NOW)) is MISSING


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        pytest.param(timedelta(days=-1), JobCleanedUp, id="later Job"),
        pytest.param(timedelta(), JobCleanedUp, id="same second"),
        pytest.param(timedelta(seconds=1), JobNotFound, id="earlier Project"),
        pytest.param(None, JobNotFound, id="unknown creation time"),
    ],
)
def test_receipt_of_an_earlier_project(offset: timedelta | None, expected: type) -> None:
    """A Project that was deleted and created again, perhaps for another team, does not show earlier Receipts."""
    receipts = FakeReceipts()
    receipt = build_receipt(TEAM_A, msgspec.to_builtins(finished(creation_timestamp=NOW)), [], None)
    receipts.store(receipt)

    error = explain_missing_job(
        MISSING, TEAM_A, TRAIN_1, receipts, ProjectsCreatedAt(None if offset is None else NOW + offset)
    )

    assert type(error) is expected
    assert getattr(error.problem(), "receipt", None) == (receipt if expected is JobCleanedUp else None)
