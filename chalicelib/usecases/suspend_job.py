"""Suspend and resume a Job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain import errors
from chalicelib.domain.job.lifecycle import suspend_patch
from chalicelib.usecases.get_job import view_with_pods
from chalicelib.usecases.update_job import Change, update_job

if TYPE_CHECKING:
    from chalicelib.domain.job.view import JobView
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.usecases.ports import Jobs

ERRORS = (
    errors.JobNotFound,
    errors.JobFinished,
    errors.JobBeingDeleted,
    errors.JobIncomplete,
    errors.JobManagedByQueue,
    errors.PreconditionFailed,
)
"""The errors of both operations, without those of every request."""


def suspend_job(project: ProjectName, name: JobName, version: str | None, jobs: Jobs) -> JobView:
    """Suspend the Job, if it still has this resource *version*: its pods are terminated and release their GPUs."""
    return _set_suspended(project, name, version, jobs, suspended=True)


def resume_job(project: ProjectName, name: JobName, version: str | None, jobs: Jobs) -> JobView:
    """Resume the Job, if it still has this resource *version*: new pods are created."""
    return _set_suspended(project, name, version, jobs, suspended=False)


def _set_suspended(project: ProjectName, name: JobName, version: str | None, jobs: Jobs, *, suspended: bool) -> JobView:
    change = Change(
        lambda job: suspend_patch(job, suspended=suspended), lambda job: bool(job.spec.suspend) == suspended
    )
    job = update_job(project, name, version, change, jobs)
    return view_with_pods(project, job, jobs)
