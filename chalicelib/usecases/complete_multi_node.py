"""Complete the creation of a multi-node Job, which needs a headless Service.

1. The Job is created suspended, with the incomplete annotation. Its uid is needed for the next step.
2. The Service is created with the Job as its owner, so that it is deleted with the Job.
3. One patch removes the annotation and resumes the Job, or adds the label of its queue, which resumes it later.
4. If step 2 or 3 fails, the Job is deleted again, but only while it is incomplete.

If the request is interrupted, the Job stays incomplete, and a repeated request continues with step 2.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from chalicelib.domain.errors import ClusterUnavailable, JobBeingDeleted, PreconditionFailed, ResearcherError
from chalicelib.domain.failure_reasons import FailureReason, note_reason
from chalicelib.domain.manifest.multi_node import is_incomplete, service_of, start_patch
from chalicelib.domain.names import JobName
from chalicelib.domain.submission.idempotency import RETRY_AFTER_DELETION

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.names import ProjectName
    from chalicelib.usecases.ports import Jobs

ATTEMPTS = 5
"""Attempts to start or delete the Job while the cluster updates its status."""


def complete_job(project: ProjectName, job: Job, jobs: Jobs) -> Job:
    """Complete *job*, also if another request created it, and return it; unchanged if it is complete."""
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
                f"The Job {job.metadata.name} was deleted while it was being created. Submit it again.",
                retry_after=RETRY_AFTER_DELETION,
            )
        if not is_incomplete(found):
            return found
        job = found
    error = ClusterUnavailable(
        "Concurrent changes kept the Job from being started. Send the same request again.", retry_after=1
    )
    raise note_reason(error, FailureReason.CONFLICT)


def _undo(project: ProjectName, job: Job, jobs: Jobs) -> None:
    """Delete *job* if it is still incomplete. If this fails, a repeated request completes the Job."""
    with suppress(ResearcherError):
        for _ in range(ATTEMPTS):
            found = _reload(project, job, jobs)
            if not found or not is_incomplete(found):
                return
            # A conflict: the cluster has updated the Job's status, and so its resource version.
            with suppress(PreconditionFailed):
                jobs.delete(project, JobName(found.metadata.name), found.metadata.uid, found.metadata.resource_version)


def _reload(project: ProjectName, job: Job, jobs: Jobs) -> Job | None:
    """Return *job* as it is now, or None if it is gone."""
    found = jobs.find(project, JobName(job.metadata.name))
    return found if found and found.metadata.uid == job.metadata.uid else None
