"""The lifecycle of a Job: which statuses a caller can wait for, and when a Job can be suspended or resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from chalicelib.domain.errors import JobBeingDeleted, JobFinished, JobIncomplete, JobManagedByQueue
from chalicelib.domain.kubernetes.jobs import QUEUE_LABEL
from chalicelib.domain.manifest.multi_node import is_incomplete

if TYPE_CHECKING:
    from chalicelib.domain.job.view import Status
    from chalicelib.domain.kubernetes.jobs import Job


Until = Literal["running", "finished"]

FINISHED_STATUSES = frozenset({"Succeeded", "Failed"})
STARTED_STATUSES = FINISHED_STATUSES | {"Running", "Terminating"}
"""Statuses that end a wait for `running`: a finished or terminating Job will not start running any more."""


def is_reached(until: Until, status: Status) -> bool:
    """Return whether *status* ends a wait for *until*."""
    return status in (FINISHED_STATUSES if until == "finished" else STARTED_STATUSES)


def check_suspendable(job: Job) -> None:
    """Raise an error unless *job* can be suspended and resumed.

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
