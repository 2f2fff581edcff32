"""Delete the Jobs that a label selects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from chalicelib.domain.errors import ClusterUnavailable, Forbidden, JobNotFound, MalformedRequest
from chalicelib.domain.job.query import JobQuery
from chalicelib.domain.labels import KEEP_LABEL
from chalicelib.domain.names import ProjectName
from chalicelib.usecases.delete_matching_jobs import (
    ATTEMPTS,
    MatchingDeletions,
    delete_matching_jobs,
    require_narrow_label,
)
from tests.support.builders import NOW, TEAM_A, ended, job
from tests.support.fakes import FakeJobs, raising

if TYPE_CHECKING:
    from chalicelib.domain.job.status import Status
    from chalicelib.domain.kubernetes.jobs import Job

SWEEP = JobQuery(label="sweep=7")


def of_sweep(name: str, sweep: str = "7", *, keep: str | None = None, **fields: Any) -> Job:  # noqa: ANN401 - any field of the Job
    """Return a Job of a sweep."""
    return job(name, labels={"sweep": sweep} | ({KEEP_LABEL: keep} if keep else {}), **fields)


def delete(jobs: FakeJobs, *status: Status, dry_run: bool = False) -> MatchingDeletions:
    """Delete the Jobs of the sweep with *status*."""
    return delete_matching_jobs(TEAM_A, msgspec.structs.replace(SWEEP, status=status or None), jobs, dry_run=dry_run)


def outcomes(result: MatchingDeletions) -> dict[str, str | None]:
    """Return the error code, or None, by name."""
    return {each.name: each.error.code if each.error else None for each in result.data}


class TestSelection:
    """Which Jobs are deleted."""

    def test_only_matching_jobs(self) -> None:
        """Other labels, other Projects, kept Jobs and those that are being deleted already are left alone."""
        team_b = ProjectName("team-b")
        jobs = FakeJobs(TEAM_A, team_b)
        jobs.hold(TEAM_A, of_sweep("a"), of_sweep("b", keep="true"), of_sweep("c", keep="false"), of_sweep("d", "8"))
        jobs.hold(TEAM_A, job("e"), of_sweep("f", deletion_timestamp=NOW))
        jobs.hold(team_b, of_sweep("a"))

        result = delete(jobs)

        assert (outcomes(result), result.kept, result.more) == ({"a": None, "c": None}, ["b"], False)
        assert (jobs.names(TEAM_A), jobs.names(team_b)) == (["b", "d", "e", "f"], ["a"])

    def test_status(self, jobs: FakeJobs) -> None:
        """With a status, only Jobs that have it."""
        jobs.hold(TEAM_A, of_sweep("a", status=ended("Failed")), of_sweep("b"), of_sweep("c", status=ended("Complete")))

        assert outcomes(delete(jobs, "Failed", "Succeeded")) == {"a": None, "c": None}
        assert jobs.names(TEAM_A) == ["b"]

    def test_preconditions(self, jobs: FakeJobs) -> None:
        """Each deletion has the uid and the resource version of the list."""
        jobs.hold(
            TEAM_A, of_sweep("a", uid="u-a", resource_version="5"), of_sweep("b", uid="u-b", resource_version="6")
        )

        delete(jobs)

        assert sorted(jobs.deletions) == [("a", "u-a", "5"), ("b", "u-b", "6")]

    def test_dry_run(self, jobs: FakeJobs) -> None:
        """A dry run sends the same preconditions, and deletes nothing."""
        jobs.hold(TEAM_A, of_sweep("a"), of_sweep("b", keep="true"))

        result = delete(jobs, dry_run=True)

        assert (outcomes(result), result.kept, result.dry_run) == ({"a": None}, ["b"], True)
        assert (jobs.names(TEAM_A), [name for name, _, _ in jobs.deletions]) == (["a", "b"], ["a"])

    def test_at_most_100(self, jobs: FakeJobs) -> None:
        """The rest is deleted by the next requests; `more` says that there is a rest. Kept Jobs do not count."""
        jobs.hold(TEAM_A, *(of_sweep(f"{number:03}", keep="1" if number < 120 else None) for number in range(321)))

        results = [delete(jobs) for _ in range(3)]

        assert [(len(each.data), each.more, len(each.kept)) for each in results] == [
            (100, True, 100),
            (100, True, 100),
            (1, False, 100),
        ]
        assert len(jobs.names(TEAM_A)) == 120

    @pytest.mark.parametrize("label", ["stage!=test", "a!=b,c!=d", "sweep=", "sweep==", "sweep=,stage!=test"])
    def test_label_must_require_a_value(self, label: str) -> None:
        """A selector with inequalities alone selects nearly all Jobs; an empty value is a variable that is not set."""
        with pytest.raises(MalformedRequest) as refused:
            require_narrow_label(label)

        assert refused.value.errors[0].pointer == "/label"

    def test_label_with_a_value(self) -> None:
        """One such term is enough."""
        require_narrow_label("stage!=test,sweep=7")


class TestChanges:
    """Jobs that others change or delete at the same time."""

    @pytest.mark.parametrize(
        ("now", "error", "left"),
        [
            pytest.param(of_sweep("a", resource_version="2"), None, [], id="changed"),
            pytest.param(of_sweep("a", keep="true", resource_version="2"), "precondition_failed", ["a"], id="kept"),
            pytest.param(of_sweep("a", "8", resource_version="2"), "precondition_failed", ["a"], id="other label"),
            pytest.param(
                of_sweep("a", resource_version="2", status=ended("Failed")),
                "precondition_failed",
                ["a"],
                id="other status",
            ),
            pytest.param(of_sweep("a", uid="new"), None, ["a"], id="another Job of this name"),
            pytest.param(of_sweep("a", resource_version="2", deletion_timestamp=NOW), None, ["a"], id="being deleted"),
        ],
    )
    def test_changed_job_is_deleted_only_if_it_still_matches(
        self, jobs: FakeJobs, now: Job, error: str | None, left: list[str]
    ) -> None:
        """A running Job changes all the time; one that is kept now, or new, is never deleted."""
        jobs.hold(TEAM_A, of_sweep("a"))
        jobs.before("delete", lambda: jobs.hold(TEAM_A, now))

        assert outcomes(delete(jobs, "Pending")) == {"a": error}
        assert jobs.names(TEAM_A) == left

    @pytest.mark.parametrize("fault", [JobNotFound("Gone."), None])
    def test_job_that_is_gone_is_deleted(self, jobs: FakeJobs, fault: Exception | None) -> None:
        """Another caller deleted it first."""
        jobs.hold(TEAM_A, of_sweep("a"), of_sweep("b"))
        jobs.before("delete", *[raising(fault) if fault else jobs.jobs.clear] * 2)

        assert outcomes(delete(jobs)) == {"a": None, "b": None}

    def test_job_that_keeps_changing(self, jobs: FakeJobs) -> None:
        """After some attempts it is an error of this Job, and the others are deleted."""
        jobs.hold(TEAM_A, of_sweep("a"))
        versions = iter(range(100, 200))

        def change() -> None:
            jobs.hold(TEAM_A, of_sweep("a", resource_version=str(next(versions))))

        jobs.before("delete", *[change] * ATTEMPTS)

        assert outcomes(delete(jobs)) == {"a": "precondition_failed"}

    def test_failure_does_not_stop_the_rest(self, jobs: FakeJobs) -> None:
        """A failed deletion has its error; a list that fails is an error of the request."""
        jobs.hold(TEAM_A, of_sweep("a"), of_sweep("b"))
        jobs.before("delete", raising(ClusterUnavailable("Try again.")))

        assert sorted(str(code) for code in outcomes(delete(jobs)).values()) == ["None", "cluster_unavailable"]
        with pytest.raises(Forbidden):
            delete_matching_jobs(ProjectName("team-b"), SWEEP, jobs, dry_run=False)
