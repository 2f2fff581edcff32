"""Rules for a Job's transitions: which statuses a caller can wait for, and when a Job can be suspended or resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from chalicelib.domain.errors import JobBeingDeleted, JobFinished, JobIncomplete, JobManagedByQueue
from chalicelib.domain.kubernetes.jobs import QUEUE_LABEL
from chalicelib.domain.labels import KEEP_LABEL
from chalicelib.domain.manifest.multi_node import is_incomplete

if TYPE_CHECKING:
    from chalicelib.domain.job.view import Status
    from chalicelib.domain.kubernetes.jobs import Job, Manifest


Until = Literal["running", "finished"]

FINISHED_STATUSES = frozenset({"Succeeded", "Failed"})
STARTED_STATUSES = FINISHED_STATUSES | {"Running", "Terminating"}
"""A Job that ended has run, or never will: nobody waits longer for it to run."""


def is_reached(until: Until, status: Status) -> bool:
    """Whether a Job in *status* is *until* where a caller waits for it to be."""
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
        raise JobIncomplete(f"The Job {name} lacks its Service. Send the request that made it again, or delete it.")
    if QUEUE_LABEL in job.metadata.labels:
        # Kueue suspends and resumes by the same field, and puts back what others write there.
        raise JobManagedByQueue(f"The Job {name} is in a queue, which decides when it runs. Delete it to take it out.")
    return {"spec": {"suspend": suspended}}
