"""Keep a Job from being deleted after it has finished, or stop keeping it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.errors import JobNotFound, PreconditionFailed
from chalicelib.domain.finished.keep import is_kept_for_good, keep_patch, unkeep_patch
from chalicelib.domain.job.lifecycle import is_kept
from chalicelib.usecases.get_job import view_with_pods
from chalicelib.usecases.update_job import Change, update_job

if TYPE_CHECKING:
    from datetime import datetime

    from chalicelib.domain.job.view import JobView
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.usecases.ports import Jobs

ERRORS = (JobNotFound, PreconditionFailed)


def keep_job(project: ProjectName, name: JobName, version: str | None, jobs: Jobs) -> JobView:
    """Exempt the Job from cleanup and from its own TTL, if it still has the resource version *version*."""
    job = update_job(project, name, version, Change(keep_patch, is_kept_for_good), jobs)
    return view_with_pods(project, job, jobs)


def unkeep_job(project: ProjectName, name: JobName, version: str | None, now: datetime, jobs: Jobs) -> JobView:
    """Make the Job subject to cleanup and to its own TTL again, if it still has the resource version *version*."""
    change = Change(lambda job: unkeep_patch(job, now), lambda job: not is_kept(job))
    job = update_job(project, name, version, change, jobs)
    return view_with_pods(project, job, jobs)
