"""Complete a multi-node Job: its Service first, then its start; where that fails, no half of it stays."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from chalicelib.domain.errors import ClusterUnavailable, JobBeingDeleted, PreconditionFailed, ResearcherError
from chalicelib.domain.manifest.multi_node import is_incomplete, service_of, start_patch
from chalicelib.domain.names import JobName
from chalicelib.domain.submission.idempotency import RETRY_AFTER_DELETION

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.names import ProjectName
    from chalicelib.usecases.ports import Jobs

ATTEMPTS = 5
"""To start or to delete a Job whose status the cluster writes at the same time."""


def complete_job(project: ProjectName, job: Job, jobs: Jobs) -> Job:
    """*job* with all that belongs to it, whoever began to make it; unchanged where nothing is missing."""
    if not is_incomplete(job):
        return job
    try:
        jobs.create_service(project, service_of(job))
        return _start(project, job, jobs)
    except ResearcherError:
        _undo(project, job, jobs)
        raise


def _start(project: ProjectName, job: Job, jobs: Jobs) -> Job:
    for _ in range(ATTEMPTS):
        started = jobs.patch(project, JobName(job.metadata.name), start_patch(job))
        found = started or _reload(project, job, jobs)
        if found is None:
            raise JobBeingDeleted(
                f"The Job {job.metadata.name} was deleted while it was made. Submit it again.",
                retry_after=RETRY_AFTER_DELETION,
            )
        if not is_incomplete(found):
            return found
        job = found
    raise ClusterUnavailable("The Job changes too fast to be started. Send the same request again.", retry_after=1)


def _undo(project: ProjectName, job: Job, jobs: Jobs) -> None:
    """Deletes *job* if it is half made still. What cannot be deleted now is completed by the same request."""
    with suppress(ResearcherError):
        for _ in range(ATTEMPTS):
            found = _reload(project, job, jobs)
            if not found or not is_incomplete(found):
                return
            # The cluster writes the Job's status at the same time, so that its version may be another by now.
            with suppress(PreconditionFailed):
                jobs.delete(project, JobName(found.metadata.name), found.metadata.uid, found.metadata.resource_version)


def _reload(project: ProjectName, job: Job, jobs: Jobs) -> Job | None:
    """*job* as it is now, or None when it is gone."""
    found = jobs.find(project, JobName(job.metadata.name))
    return found if found and found.metadata.uid == job.metadata.uid else None
