"""Suspend and resume a Job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain import errors
from chalicelib.domain.job.lifecycle import check_suspendable
from chalicelib.usecases.get_job import require_job, view_with_pods

if TYPE_CHECKING:
    from chalicelib.domain.job.view import JobView
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.usecases.ports import Jobs

ATTEMPTS = 8
"""Attempts on conflict: the cluster updates the status of a Job that is starting several times a second."""

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
    """Set `spec.suspend`, even to its current value, because the cluster checks the caller's permission."""
    first: str | None = None
    for _ in range(ATTEMPTS):
        job = require_job(project, name, jobs)
        # On a retry the Job may already have the desired state: the write succeeded and its response was lost.
        applied = first == job.metadata.uid and bool(job.spec.suspend) == suspended
        first = first or job.metadata.uid
        if version not in (None, job.metadata.resource_version) and not applied:
            raise errors.PreconditionFailed(
                "The Job was changed, or deleted and created again. Get it before you try again."
            )
        check_suspendable(job)
        changed = jobs.suspend(project, name, job.metadata.resource_version, suspended=suspended)
        if changed is not None:
            return view_with_pods(project, changed, jobs)
    raise errors.ClusterUnavailable(
        "Concurrent changes to the Job kept conflicting with this one. Try again.", retry_after=1
    )
