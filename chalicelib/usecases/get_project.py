"""Get a Project: its quotas and their use, its Jobs, and the caller's permissions."""

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
"""Twice the Jobs that the quota of a Project allows by default."""


class Project(Protocol):
    """A Project, as the caller. Methods raise ResearcherError."""

    def verbs(self, project: ProjectName) -> list[str]:
        """Return the caller's verbs on Jobs; Forbidden if `list` is not one of them."""

    def namespace(self, project: ProjectName) -> Namespace:
        """Return the Project's namespace; Forbidden if it does not exist or does not have the Project label."""

    def quotas(self, project: ProjectName) -> list[ResourceQuota]:
        """Return the Project's quotas."""

    def pods(self, project: ProjectName) -> tuple[list[Pod], bool]:
        """Return pods of Jobs that have not ended, and whether these are all of them."""


def get_project(name: ProjectName, project: Project, jobs: Jobs) -> ProjectDetail:
    """Return the Project, by four requests to the cluster and one for each 500 Jobs, up to MAX_JOBS."""
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
    """Count the Project's unfinished Jobs, a page at a time, and return whether all of them were counted."""
    tally, owned, seen, more = Tally(), pods_by_job(pods), 0, None
    try:
        for page in iter_pages(name, "", jobs):
            tally.add(view(name, job, owned[job.metadata.uid]) for job in page.items if not job.finished)
            seen, more = seen + len(page.items), page.metadata.continue_
            if seen >= MAX_JOBS:
                break
    except DeadlineExceeded:
        more = "not read"
    return tally, not more
