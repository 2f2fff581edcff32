"""Delete many Jobs."""

from __future__ import annotations

import threading

import msgspec
import pytest

from chalicelib.domain.errors import ClusterUnavailable, MalformedRequest
from chalicelib.domain.names import ProjectName
from chalicelib.usecases.delete_jobs import Deletion, Target, delete_jobs
from chalicelib.usecases.ports import PARALLEL
from tests.support.builders import TEAM_A, job
from tests.support.fakes import FakeJobs, raising

TEAM_B = ProjectName("team-b")


def outcomes(deletions: list[Deletion]) -> list[tuple[str, bool, str | None]]:
    """Name, success and the error's code of each."""
    return [(one.name, one.ok, one.error.code if one.error else None) for one in deletions]


class TestDeleteJobs:
    """Each on its own."""

    def test_named_jobs_go_and_no_others(self) -> None:
        """The answer is in the order of the question."""
        jobs = FakeJobs(TEAM_A, TEAM_B)
        jobs.hold(TEAM_A, job("a"), job("b"), job("c"))
        jobs.hold(TEAM_B, job("a"))

        deletions = delete_jobs([Target("c", "team-a"), Target("a", "team-a")], jobs)

        assert [Deletion("c", "team-a", ok=True), Deletion("a", "team-a", ok=True)] == deletions
        assert (jobs.names(TEAM_A), jobs.names(TEAM_B)) == (["b"], ["a"])

    def test_one_that_is_refused_does_not_stop_the_rest(self, jobs: FakeJobs) -> None:
        """A missing Job, and another team's, are told where they stand."""
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
        assert expected == outcomes(deletions)
        assert (jobs.names(TEAM_A), jobs.names(TEAM_B)) == ([], ["b"])

    def test_same_job_twice(self, jobs: FakeJobs) -> None:
        """It is deleted once, and both entries have the outcome."""
        jobs.hold(TEAM_A, job("a"))

        deletions = delete_jobs([Target("a", "team-a"), Target("b", "team-a"), Target("a", "team-a")], jobs)

        assert [one.ok for one in deletions] == [True, False, True]

    def test_clusters_fault_is_told_too(self, jobs: FakeJobs) -> None:
        """A cluster that fails in between is an error of that Job; a fault that is none of ours is not hidden."""
        jobs.hold(TEAM_A, job("a"))
        jobs.before("delete", raising(ClusterUnavailable("Try again.")))

        assert outcomes(delete_jobs([Target("a", "team-a")], jobs)) == [("a", False, "cluster_unavailable")]
        assert jobs.names(TEAM_A) == ["a"]

        jobs.before("delete", raising(RuntimeError("a bug")))
        with pytest.raises(RuntimeError):
            delete_jobs([Target("a", "team-a")], jobs)

    @pytest.mark.parametrize("name", ["", ".", "..", "a/../b", "a\n", "A"])
    def test_name_that_is_none_stops_all(self, jobs: FakeJobs, name: str) -> None:
        """A name that would delete the collection, or another namespace's Job, reaches nobody, nor does the rest."""
        jobs.hold(TEAM_A, job("a"))

        for odd in (Target(name, "team-a"), Target("a", name)):
            with pytest.raises(MalformedRequest):
                delete_jobs([Target("a", "team-a"), odd], jobs)

        assert jobs.names(TEAM_A) == ["a"]

    def test_at_once(self, jobs: FakeJobs) -> None:
        """As many calls at a time as the pool of connections holds: all of them meet here."""
        meeting = threading.Barrier(PARALLEL, timeout=30)

        def meet() -> None:
            meeting.wait()

        jobs.hold(TEAM_A, *(job(f"a{number}") for number in range(PARALLEL)))
        jobs.before("delete", *[meet] * PARALLEL)

        deletions = delete_jobs([Target(f"a{number}", "team-a") for number in range(PARALLEL)], jobs)

        assert all(one.ok for one in deletions)


class TestTarget:
    """What may be asked."""

    @pytest.mark.parametrize("wire", [{"name": "a", "project": "b"}, {"name": "a.b", "project": "b-c"}])
    def test_names_are_taken(self, wire: dict[str, str]) -> None:
        """Those of Jobs and Projects."""
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
    def test_anything_else_is_refused(self, wire: dict[str, object]) -> None:
        """Before anything is deleted."""
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wire, Target)
