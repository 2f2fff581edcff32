"""Telling of one Project."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.errors import Forbidden
from chalicelib.domain.kubernetes.jobs import JobSpec, Namespace
from chalicelib.domain.kubernetes.quotas import Amounts, ResourceQuota
from chalicelib.domain.project import GpuUse, JobCounts, QuotaView
from chalicelib.usecases.get_project import MAX_JOBS, get_project
from tests.support.builders import NOW_MS, TEAM_A, container, ended, job, meta, pod, template
from tests.support.fakes import FakeJobs

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import ProjectName

ROOM = ResourceQuota(
    metadata=meta("room"), status=Amounts(hard={"requests.nvidia.com/gpu": "8"}, used={"requests.nvidia.com/gpu": "4"})
)


@dataclass
class FakeProject:
    """A Project in memory, as a caller sees it who may do *allowed*."""

    allowed: list[str] = field(default_factory=lambda: ["get", "list"])
    held: list[Pod] = field(default_factory=list)
    all_held: bool = True

    def verbs(self, project: ProjectName) -> list[str]:
        """What the caller may do with Jobs; Forbidden where not even list them."""
        del project
        if "list" not in self.allowed:
            raise Forbidden("The Project does not exist, or you do not have permission for this operation in it.")
        return self.allowed

    def namespace(self, project: ProjectName) -> Namespace:
        """The Project's namespace."""
        return Namespace(metadata=meta(f"researcher-{project}"))

    def quotas(self, project: ProjectName) -> list[ResourceQuota]:
        """The Project's quotas."""
        del project
        return [ROOM]

    def pods(self, project: ProjectName) -> tuple[list[Pod], bool]:
        """The pods of Jobs that have not ended, and whether these are all of them."""
        del project
        return self.held, self.all_held


def many(number: int) -> FakeJobs:
    """A cluster with as many Jobs that wait for two GPUs each."""
    jobs = FakeJobs()
    spec = JobSpec(parallelism=1, completions=1, template=template(container(gpus="2")))
    jobs.hold(TEAM_A, *(job(f"train-{place:05}", spec=spec) for place in range(number)))
    return jobs


class TestGetProject:
    """What one call tells."""

    def test_tells_room_and_use(self) -> None:
        """Quota, GPUs, Jobs, and what the caller may do."""
        jobs = many(2)
        held = pod("Running", owner="uid-of-train-00000", containers=[container(gpus="2")])

        told = get_project(TEAM_A, FakeProject(held=[held]), jobs)

        assert (told.name, told.namespace, told.created_at) == ("team-a", "researcher-team-a", NOW_MS)
        assert told.verbs == ["get", "list"]
        assert told.gpus == GpuUse(quota=8, requested=4, allocated=2)
        assert told.jobs == JobCounts(running=1, pending=1, suspended=0)
        assert told.quotas == [QuotaView("room", ROOM.status.hard, ROOM.status.used)]
        assert told.complete

    def test_finished_jobs_do_not_count(self) -> None:
        """They stay for a week, and use nothing."""
        jobs = FakeJobs()
        jobs.hold(TEAM_A, job(status=ended("Complete")), job("train-2", status=ended("Failed")))

        assert get_project(TEAM_A, FakeProject(), jobs).jobs == JobCounts(0, 0, 0)

    def test_it_ends_before_it_has_counted_for_ever(self) -> None:
        """Beyond MAX_JOBS, or where pods were not seen, it says that it has not seen all: counts are too low."""
        assert not get_project(TEAM_A, FakeProject(all_held=False), FakeJobs()).complete

        told = get_project(TEAM_A, FakeProject(), many(MAX_JOBS + 1))

        assert (told.jobs.pending, told.complete) == (MAX_JOBS, False)

    def test_who_may_not_look_learns_nothing(self) -> None:
        """Not even whether there is a quota."""
        with pytest.raises(Forbidden):
            get_project(TEAM_A, FakeProject(allowed=["create"]), FakeJobs())
