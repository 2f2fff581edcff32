"""Tell of one Project: its room, its use, and what the caller may do there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chalicelib.domain.errors import DeadlineExceeded
from chalicelib.domain.job.view import milliseconds, view
from chalicelib.domain.project import ProjectDetail, Tally, gpu_use, quota_views
from chalicelib.usecases.get_job import pods_by_job
from chalicelib.usecases.list_jobs import iter_pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.kubernetes.jobs import Namespace
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.kubernetes.quotas import ResourceQuota
    from chalicelib.domain.names import ProjectName
    from chalicelib.usecases.ports import Jobs

MAX_JOBS = 4000
"""Twice as many as a Project's own quota takes."""


class Project(Protocol):
    """A Project as one caller may see it; refusals are raised as ResearcherError."""

    def verbs(self, project: ProjectName) -> list[str]:
        """What the caller may do with Jobs; Forbidden where not even list them."""

    def namespace(self, project: ProjectName) -> Namespace:
        """The Project's namespace; Forbidden where there is none, or where it is no Project."""

    def quotas(self, project: ProjectName) -> list[ResourceQuota]:
        """The Project's quotas."""

    def pods(self, project: ProjectName) -> tuple[list[Pod], bool]:
        """The pods of Jobs that have not ended, and whether these are all of them."""


def get_project(name: ProjectName, project: Project, jobs: Jobs) -> ProjectDetail:
    """The Project: four calls and one for each 500 Jobs, of MAX_JOBS at most."""
    verbs = project.verbs(name)
    namespace = project.namespace(name)
    quotas = project.quotas(name)
    pods, all_pods = project.pods(name)
    tally, all_jobs = _tally(name, jobs, pods)
    return ProjectDetail(
        name=name,
        namespace=namespace.metadata.name,
        created_at=milliseconds(namespace.metadata.creation_timestamp) or 0,
        verbs=verbs,
        gpus=gpu_use(quotas, tally.requested, pods),
        jobs=tally.jobs,
        quotas=quota_views(quotas),
        complete=all_pods and all_jobs,
    )


def _tally(name: ProjectName, jobs: Jobs, pods: Sequence[Pod]) -> tuple[Tally, bool]:
    """Count the Project's Jobs, a page in memory at a time; and say whether these are all of them."""
    tally, owned, seen, more = Tally(), pods_by_job(pods), 0, None
    try:
        for page in iter_pages(name, "", jobs):
            tally.add(view(name, job, owned[job.metadata.uid]) for job in page.items if not job.finished)
            seen, more = seen + len(page.items), page.metadata.continue_
            if seen >= MAX_JOBS:
                break
    except DeadlineExceeded:
        more = "not read"  # pages are small where Jobs are large
    return tally, not more
