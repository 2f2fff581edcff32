"""Submissions that follow from a Job that is there: see `submit` for what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.original import clone_of, retry_of
from chalicelib.usecases.jobs import existing

if TYPE_CHECKING:
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.domain.submission import Submission
    from chalicelib.usecases.ports import Jobs


def clone(project: ProjectName, name: JobName, patch: object, key: str | None, jobs: Jobs) -> Submission:
    """What the Job was asked as, changed by the merge patch *patch*."""
    return clone_of(project, existing(project, name, jobs), patch, keyed=key is not None)


def retry(project: ProjectName, name: JobName, jobs: Jobs) -> Submission:
    """What the Job was asked as, for the indexes that it did not complete."""
    return retry_of(project, existing(project, name, jobs))
