"""Whether a Job can be suspended or resumed at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.errors import JobBeingDeleted, JobFinished, JobIncomplete, JobManagedByQueue
from chalicelib.domain.kubernetes.jobs import QUEUE_LABEL
from chalicelib.domain.manifest.multi_node import is_half_made

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Job


def check_suspendable(job: Job) -> None:
    """Raise an error unless *job* can be suspended and resumed.

    Raises: JobFinished, JobBeingDeleted, JobIncomplete, JobManagedByQueue.
    """
    name = job.metadata.name
    if job.finished:
        raise JobFinished(f"The Job {name} has finished, so it can be neither suspended nor resumed. Submit a new one.")
    if job.metadata.deletion_timestamp:
        raise JobBeingDeleted(f"The Job {name} is being deleted.")
    if is_half_made(job):
        raise JobIncomplete(f"The Job {name} lacks its Service. Send the request that made it again, or delete it.")
    if QUEUE_LABEL in job.metadata.labels:
        # Kueue suspends and resumes by the same field, and puts back what others write there.
        raise JobManagedByQueue(f"The Job {name} is in a queue, which decides when it runs. Delete it to take it out.")
