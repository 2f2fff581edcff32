"""Tell of a Job that is gone whether it was cleaned up, and what is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chalicelib.domain.errors import JobCleanedUp, JobNotFound

if TYPE_CHECKING:
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.domain.receipt import Receipt


class KeptReceipts(Protocol):
    """Where Receipts are kept."""

    def find(self, project: ProjectName, name: JobName) -> Receipt | None:
        """The newest Receipt of a Job of that name, or None."""


def cleaned_up(
    missing: JobNotFound, project: ProjectName, name: JobName, receipts: KeptReceipts
) -> JobCleanedUp | JobNotFound:
    """What to answer to a caller who may look into *project* but finds no Job: *missing*, unless there is a Receipt."""
    receipt = receipts.find(project, name)
    if receipt is None:
        return missing
    return JobCleanedUp(f"The Job {name} finished and was cleaned up; receipt tells how it ended.", receipt=receipt)
