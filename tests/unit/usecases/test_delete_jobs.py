"""Delete several Jobs."""

from __future__ import annotations

import threading

import msgspec
import pytest

from chalicelib.domain.errors import (
    ClusterUnavailable,
    JobCleanedUp,
    JobNotFound,
    MalformedRequest,
    ResearcherError,
    StorageUnavailable,
)
from chalicelib.domain.names import ProjectName
from chalicelib.usecases.delete_jobs import Deletion, Target, delete_jobs
from chalicelib.usecases.ports import PARALLEL
from tests.support.builders import TEAM_A, job
from tests.support.fakes import FakeJobs, raising

TEAM_B = ProjectName("team-b")


def results(deletions: list[Deletion]) -> list[tuple[str, bool, str | None]]:
    """Return name, success and error code of each deletion."""
    return [(each.name, each.ok, each.error.code if each.error else None) for each in deletions]


class TestDeleteJobs:
    """Each deletion is independent."""

    def test_only_named_jobs_are_deleted(self) -> None:
        """The results have the order of the request."""
        jobs = FakeJobs(TEAM_A, TEAM_B)
        jobs.hold(TEAM_A, job("a"), job("b"), job("c"))
        jobs.hold(TEAM_B, job("a"))

        deletions = delete_jobs([Target("c", "team-a"), Target("a", "team-a")], jobs)

        assert [Deletion("c", "team-a", ok=True), Deletion("a", "team-a", ok=True)] == deletions
        assert (jobs.names(TEAM_A), jobs.names(TEAM_B)) == (["b"], ["a"])

    def test_failure_does_not_stop_the_rest(self, jobs: FakeJobs) -> None:
        """A missing Job and a forbidden one have an error."""
        jobs.hold(TEAM_A, job("a"), job("z"))
        jobs.hold(TEAM_B, job("b"))

        deletions = delete_jobs(
            [Target("a", "team-a"), Target("missing", "team-a"), Target("b", "team-b"), Target("z", "team-a")], jobs
        )

        expected = [
            ("a", True, None),
            ("missing", False, "job_not_found"),
            ("b", False, "forbidden"),
            ("z", True, None),
        ]
        assert expected == results(deletions)
        assert (jobs.names(TEAM_A), jobs.names(TEAM_B)) == ([], ["b"])

    def test_missing_job_is_explained(self, jobs: FakeJobs) -> None:
        """The error of a missing Job is the explanation; one that fails is the error of this Job alone."""
        jobs.hold(TEAM_A, job("a"))
        explanations = {"gone": JobCleanedUp("It was cleaned up.", receipt={"name": "gone"})}

        def explain(missing: JobNotFound, project: ProjectName, name: str) -> ResearcherError:
            assert (missing.status, project) == (404, TEAM_A)
            if name == "unknown":
                raise StorageUnavailable("Try again.")
            return explanations.get(name, missing)

        targets = [Target(name, "team-a") for name in ("gone", "a", "unknown", "never")]

        assert results(delete_jobs(targets, jobs, explain)) == [
            ("gone", False, "job_cleaned_up"),
            ("a", True, None),
            ("unknown", False, "storage_unavailable"),
            ("never", False, "job_not_found"),
        ]

    def test_receipts_that_do_not_fit_are_left_out(self, jobs: FakeJobs) -> None:
        """A response of Lambda has at most 6 MB; the codes are there all the same."""
        large = {"log": "x" * 900_000}
        targets = [Target(f"gone-{number}", "team-a") for number in range(10)]

        deletions = delete_jobs(targets, jobs, lambda *_: JobCleanedUp("It was cleaned up.", receipt=large))

        assert {each.error.code for each in deletions if each.error} == {"job_cleaned_up"}
        assert [bool(each.error and each.error.receipt) for each in deletions] == [True] * 5 + [False] * 5

    def test_same_job_twice(self, jobs: FakeJobs) -> None:
        """The Job is deleted once, and both entries have the result."""
        jobs.hold(TEAM_A, job("a"))

        deletions = delete_jobs([Target("a", "team-a"), Target("b", "team-a"), Target("a", "team-a")], jobs)

        assert [each.ok for each in deletions] == [True, False, True]

    def test_errors_of_the_cluster(self, jobs: FakeJobs) -> None:
        """An unavailable cluster is an error of that Job; an unexpected error is raised."""
        jobs.hold(TEAM_A, job("a"))
        jobs.before("delete", raising(ClusterUnavailable("Try again.")))

        assert results(delete_jobs([Target("a", "team-a")], jobs)) == [("a", False, "cluster_unavailable")]
        assert jobs.names(TEAM_A) == ["a"]

        jobs.before("delete", raising(RuntimeError("a bug")))
        with pytest.raises(RuntimeError):
            delete_jobs([Target("a", "team-a")], jobs)

    @pytest.mark.parametrize("name", ["", ".", "..", "a/../b", "a\n", "A"])
    def test_invalid_name_stops_all(self, jobs: FakeJobs, name: str) -> None:
        """An invalid name, which could change the path, is rejected before any Job is deleted."""
        jobs.hold(TEAM_A, job("a"))

        for invalid in (Target(name, "team-a"), Target("a", name)):
            with pytest.raises(MalformedRequest):
                delete_jobs([Target("a", "team-a"), invalid], jobs)

        assert jobs.names(TEAM_A) == ["a"]

    def test_deletions_are_concurrent(self, jobs: FakeJobs) -> None:
        """As many requests are sent at a time as the connection pool holds."""
        barrier = threading.Barrier(PARALLEL, timeout=30)

        def meet() -> None:
            barrier.wait()

        jobs.hold(TEAM_A, *(job(f"a{number}") for number in range(PARALLEL)))
        jobs.before("delete", *[meet] * PARALLEL)

        deletions = delete_jobs([Target(f"a{number}", "team-a") for number in range(PARALLEL)], jobs)

        assert all(each.ok for each in deletions)


class TestTarget:
    """Validation of the targets."""

    @pytest.mark.parametrize("wire", [{"name": "a", "project": "b"}, {"name": "a.b", "project": "b-c"}])
    def test_valid_names(self, wire: dict[str, str]) -> None:
        """Names of Jobs and Projects are accepted."""
        assert wire == msgspec.to_builtins(msgspec.convert(wire, Target))

    @pytest.mark.parametrize(
        "wire",
        [
            {"name": "a"},
            {"name": "a", "project": "b", "uid": "c"},
            {"name": "..", "project": "b"},
            {"name": "a" * 254, "project": "b"},
            {"name": "a", "project": "b" * 51},
            {"name": 1, "project": "b"},
        ],
    )
    def test_invalid_targets(self, wire: dict[str, object]) -> None:
        """Other values are rejected before any Job is deleted."""
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wire, Target)
