"""Change a Job that others change at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chalicelib.domain.errors import ClusterUnavailable, PreconditionFailed
from chalicelib.domain.failure_reasons import FailureReason, note_reason
from chalicelib.domain.kubernetes.jobs import if_unchanged
from chalicelib.usecases.get_job import require_job

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.kubernetes.jobs import Job, Manifest
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.usecases.ports import Jobs

ATTEMPTS = 8
"""Attempts on conflicts: the status of a Job that starts is written several times a second."""


class Change(NamedTuple):
    """A change of a Job: the merge patch for its current state, and whether it has been made."""

    patch: Callable[[Job], Manifest]
    is_made: Callable[[Job], bool]


def update_job(project: ProjectName, name: JobName, version: str | None, change: Change, jobs: Jobs) -> Job:
    """Apply *change* to the Job as it is now; on a conflict, read the Job and try again.

    The patch is sent even if the change has been made already: the cluster decides whether the caller may make it.

    Raises: JobNotFound; PreconditionFailed: the resource version is not *version*; what *change* raises.
    """
    first: str | None = None
    for _ in range(ATTEMPTS):
        job = require_job(project, name, jobs)
        # On a retry the desired state may already be ours: the write succeeded and its response was lost.
        ours = first == job.metadata.uid and change.is_made(job)
        first = first or job.metadata.uid
        if version not in (None, job.metadata.resource_version) and not ours:
            raise PreconditionFailed("The Job was changed, or deleted and created again. Get it before you try again.")
        patched = jobs.patch(project, name, if_unchanged(job, change.patch(job)))
        if patched is not None:
            return patched
    error = ClusterUnavailable(
        "Concurrent changes to the Job kept conflicting with this one. Try again.", retry_after=1
    )
    raise note_reason(error, FailureReason.CONFLICT)
