"""Get a Project."""

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

QUOTA = ResourceQuota(
    metadata=meta("gpus"), status=Amounts(hard={"requests.nvidia.com/gpu": "8"}, used={"requests.nvidia.com/gpu": "4"})
)


@dataclass
class FakeProject:
    """A Project in memory, for a caller with the verbs *allowed*."""

    allowed: list[str] = field(default_factory=lambda: ["get", "list"])
    running: list[Pod] = field(default_factory=list)
    all_running: bool = True

    def verbs(self, project: ProjectName) -> list[str]:
        """Return the caller's verbs on Jobs; Forbidden if `list` is not one of them."""
        del project
        if "list" not in self.allowed:
            raise Forbidden("The Project does not exist, or you do not have permission for this operation in it.")
        return self.allowed

    def namespace(self, project: ProjectName) -> Namespace:
        """Return the Project's namespace."""
        return Namespace(metadata=meta(f"researcher-{project}"))

    def quotas(self, project: ProjectName) -> list[ResourceQuota]:
        """Return the Project's quotas."""
        del project
        return [QUOTA]

    def pods(self, project: ProjectName) -> tuple[list[Pod], bool]:
        """Return pods of Jobs that have not ended, and whether these are all of them."""
        del project
        return self.running, self.all_running


def pending_jobs(number: int) -> FakeJobs:
    """Return a cluster with this many pending Jobs, with two GPUs each."""
    jobs = FakeJobs()
    spec = JobSpec(parallelism=1, completions=1, template=template(container(gpus="2")))
    jobs.hold(TEAM_A, *(job(f"train-{place:05}", spec=spec) for place in range(number)))
    return jobs


class TestGetProject:
    """The view of a Project."""

    def test_quota_and_use(self) -> None:
        """The view has quotas, GPUs, Jobs, and the caller's verbs."""
        jobs = pending_jobs(2)
        running = pod("Running", node="n1", owner="uid-of-train-00000", containers=[container(gpus="2")])

        view = get_project(TEAM_A, FakeProject(running=[running]), jobs)

        assert (view.name, view.namespace, view.created_at) == ("team-a", "researcher-team-a", NOW_MS)
        assert view.verbs == ["get", "list"]
        assert view.gpus == GpuUse(quota=8, requested=4, allocated=2)
        assert view.jobs == JobCounts(running=1, pending=1, suspended=0)
        assert view.quotas == [QuotaView("gpus", QUOTA.status.hard, QUOTA.status.used)]
        assert view.complete

    def test_finished_jobs_are_not_counted(self) -> None:
        """Finished Jobs stay for a week, and use nothing."""
        jobs = FakeJobs()
        jobs.hold(TEAM_A, job(status=ended("Complete")), job("train-2", status=ended("Failed")))

        assert get_project(TEAM_A, FakeProject(), jobs).jobs == JobCounts(0, 0, 0)

    def test_counting_is_limited(self) -> None:
        """Beyond MAX_JOBS, or if not all pods were read, the view is not complete."""
        assert not get_project(TEAM_A, FakeProject(all_running=False), FakeJobs()).complete

        view = get_project(TEAM_A, FakeProject(), pending_jobs(MAX_JOBS + 1))

        assert (view.jobs.pending, view.complete) == (MAX_JOBS, False)

    def test_caller_without_permission(self) -> None:
        """The error contains nothing about the Project."""
        with pytest.raises(Forbidden):
            get_project(TEAM_A, FakeProject(allowed=["create"]), FakeJobs())
