"""The lifecycle of a Job: which statuses a caller can wait for, and when a Job can be suspended or resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from chalicelib.domain.errors import JobBeingDeleted, JobFinished, JobIncomplete, JobManagedByQueue
from chalicelib.domain.kubernetes.jobs import QUEUE_LABEL
from chalicelib.domain.labels import KEEP_LABEL
from chalicelib.domain.manifest.multi_node import is_incomplete

if TYPE_CHECKING:
    from chalicelib.domain.job.status import Status
    from chalicelib.domain.kubernetes.jobs import Job, Manifest


Until = Literal["running", "finished"]

FINISHED_STATUSES = frozenset({"Succeeded", "Failed"})
STARTED_STATUSES = FINISHED_STATUSES | {"Running", "Terminating"}
"""Statuses that end a wait for `running`: a finished or terminating Job will not start running any more."""


def is_reached(until: Until, status: Status) -> bool:
    """Return whether *status* ends a wait for *until*."""
    return status in (FINISHED_STATUSES if until == "finished" else STARTED_STATUSES)


def is_kept(job: Job) -> bool:
    """Whether *job* is exempt from cleanup; any value of the label but `false` counts."""
    return job.metadata.labels.get(KEEP_LABEL, "false") != "false"


def suspend_patch(job: Job, *, suspended: bool) -> Manifest:
    """Return the merge patch that suspends or resumes *job*.

    Raises: JobFinished, JobBeingDeleted, JobIncomplete, JobManagedByQueue.
    """
    name = job.metadata.name
    if job.finished:
        raise JobFinished(f"The Job {name} has finished, so it can be neither suspended nor resumed. Submit a new one.")
    if job.metadata.deletion_timestamp:
        raise JobBeingDeleted(f"The Job {name} is being deleted.")
    if is_incomplete(job):
        raise JobIncomplete(f"The Job {name} has no Service yet. Repeat the request that created it, or delete it.")
    if QUEUE_LABEL in job.metadata.labels:
        # Kueue sets the same field to suspend and resume, and reverts changes by others.
        raise JobManagedByQueue(f"The Job {name} is in a queue, which decides when it runs. To dequeue it, delete it.")
    return {"spec": {"suspend": suspended}}
