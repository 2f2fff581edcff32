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
"""Times that a change is sent which meets others: a Job that starts has its status written several times a second."""

ERRORS = (
    errors.JobNotFound,
    errors.JobFinished,
    errors.JobBeingDeleted,
    errors.JobIncomplete,
    errors.JobManagedByQueue,
    errors.PreconditionFailed,
)
"""Why either is refused, beyond what any request can meet."""


def suspend_job(project: ProjectName, name: JobName, version: str | None, jobs: Jobs) -> JobView:
    """The Job, whose pods end and give their GPUs back; if it still has that resource *version*."""
    return _set_suspended(project, name, version, jobs, suspended=True)


def resume_job(project: ProjectName, name: JobName, version: str | None, jobs: Jobs) -> JobView:
    """The Job, which gets new pods; if it still has that resource *version*."""
    return _set_suspended(project, name, version, jobs, suspended=False)


def _set_suspended(project: ProjectName, name: JobName, version: str | None, jobs: Jobs, *, suspended: bool) -> JobView:
    """The Job after the change, which is also sent where nothing changes: the cluster decides who may."""
    first: str | None = None
    for _ in range(ATTEMPTS):
        job = require_job(project, name, jobs)
        # The response to a change that met others may have been lost: then the change is ours, in the same Job.
        ours = first == job.metadata.uid and bool(job.spec.suspend) == suspended
        first = first or job.metadata.uid
        if version not in (None, job.metadata.resource_version) and not ours:
            raise errors.PreconditionFailed("The Job has changed, or is another one by now. Get it again, then decide.")
        check_suspendable(job)
        changed = jobs.suspend(project, name, job.metadata.resource_version, suspended=suspended)
        if changed is not None:
            return view_with_pods(project, changed, jobs)
    raise errors.ClusterUnavailable(
        "Concurrent changes to the Job kept conflicting with this one. Try again.", retry_after=1
    )
