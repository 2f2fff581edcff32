"""Wait for a Job to come to something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chalicelib.usecases.list_jobs import get_job

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.job.view import JobView
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.usecases.ports import Jobs


class Changes(Protocol):
    """Tells when it is worth looking at a Job again, for as long as one caller waits."""

    def wait(self, project: ProjectName, name: JobName, version: str) -> bool:
        """Waits until the Job may be another than at *version*; False when the time to wait is over already."""


def await_job(
    project: ProjectName, name: JobName, holds: Callable[[JobView, str], bool], jobs: Jobs, changes: Changes
) -> tuple[JobView, str]:
    """The Job and its resource version once *holds* is true of them, or as they are when the time is over."""
    job, version = get_job(project, name, jobs)
    while not holds(job, version) and changes.wait(project, name, version):
        job, version = get_job(project, name, jobs)
    return job, version
