"""Turn JobNotFound into JobCleanedUp (410) when the Project has a Receipt of that Job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chalicelib.domain.errors import JobCleanedUp, JobNotFound
from chalicelib.domain.job.view import milliseconds

if TYPE_CHECKING:
    from chalicelib.domain.finished.receipt import Receipt
    from chalicelib.domain.kubernetes.jobs import Namespace
    from chalicelib.domain.names import JobName, ProjectName


class KeptReceipts(Protocol):
    """Where Receipts are kept."""

    def find(self, project: ProjectName, name: JobName) -> Receipt | None:
        """The newest Receipt of a Job of that name, or None."""


class Projects(Protocol):
    """The Projects of the cluster; refusals are raised as ResearcherError."""

    def namespace(self, project: ProjectName) -> Namespace:
        """The Project's namespace; Forbidden where there is none, or where it is no Project."""


def cleaned_up(
    missing: JobNotFound, project: ProjectName, name: JobName, receipts: KeptReceipts, projects: Projects
) -> JobCleanedUp | JobNotFound:
    """The error for a caller who may read *project* but finds no Job: *missing*, unless the Project has a Receipt.

    Receipts outlive their Project. One of a Job that is older than the namespace belongs to an earlier Project of the
    same name, and perhaps to another team.
    """
    receipt = receipts.find(project, name)
    if receipt is None:
        return missing
    created_at = milliseconds(projects.namespace(project).metadata.creation_timestamp)
    if created_at is None or receipt.created_at < created_at:
        return missing
    return JobCleanedUp(f"The Job {name} finished and was cleaned up; receipt tells how it ended.", receipt=receipt)
