"""Get a Job, wait for a change, and explain why it does not exist."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

from chalicelib.domain.errors import JobCleanedUp, JobNotFound
from chalicelib.domain.job.view import milliseconds, view

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chalicelib.domain.finished.receipt import Receipt
    from chalicelib.domain.job.view import JobView
    from chalicelib.domain.kubernetes.jobs import Job, Namespace
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.usecases.ports import Jobs


def get_job(
    project: ProjectName, name: JobName, jobs: Jobs, extend: Callable[[JobView, Job], JobView] = lambda shown, _: shown
) -> tuple[JobView, str]:
    """Return the Job with what *extend* adds to it, and its resource version; JobNotFound if it does not exist."""
    job = require_job(project, name, jobs)
    return extend(view_with_pods(project, job, jobs), job), job.metadata.resource_version


def require_job(project: ProjectName, name: JobName, jobs: Jobs) -> Job:
    """Return the Job; JobNotFound if it does not exist."""
    job = jobs.find(project, name)
    if job is None:
        raise JobNotFound.named(project, name)
    return job


def view_with_pods(project: ProjectName, job: Job, jobs: Jobs) -> JobView:
    """Read the pods of *job* and return its view."""
    pods = pods_by_job(jobs.pods(project, [job]))
    return view(project, job, pods[job.metadata.uid])


def pods_by_job(pods: Sequence[Pod]) -> dict[str, list[Pod]]:
    """Group *pods* by the uid of their owner: pods of an earlier Job with the same name may still exist."""
    owned = defaultdict(list)
    for pod in pods:
        for owner in pod.metadata.owner_references:
            owned[owner.uid].append(pod)
    return owned


class JobChanges(Protocol):
    """A wake-up signal for changes of a Job, limited to the time that the caller waits."""

    def wait(self, project: ProjectName, name: JobName, version: str) -> bool:
        """Wait until the Job may differ from resource *version*; return False if the time was over before."""


def await_job(  # noqa: PLR0913 - the wait, and what it waits with
    project: ProjectName,
    name: JobName,
    holds: Callable[[JobView, str], bool],
    jobs: Jobs,
    changes: JobChanges,
    *,
    extend: Callable[[JobView, Job], JobView] = lambda shown, _: shown,
) -> tuple[JobView, str]:
    """Return what `get_job` does once *holds* returns true for it, or when the time is over."""
    job, version = get_job(project, name, jobs, extend)
    while not holds(job, version) and changes.wait(project, name, version):
        job, version = get_job(project, name, jobs, extend)
    return job, version


class StoredReceipts(Protocol):
    """The stored Receipts."""

    def find(self, project: ProjectName, name: JobName) -> Receipt | None:
        """Return the latest Receipt of a Job with this name, or None."""


class Projects(Protocol):
    """The Projects of the cluster. Methods raise ResearcherError."""

    def namespace(self, project: ProjectName) -> Namespace:
        """Return the Project's namespace; Forbidden if it does not exist or does not have the Project label."""


def explain_missing_job(
    missing: JobNotFound, project: ProjectName, name: JobName, receipts: StoredReceipts, projects: Projects
) -> JobCleanedUp | JobNotFound:
    """Return JobCleanedUp (410) if the Project has a Receipt of the Job, otherwise *missing*.

    The caller has permission to read the Project's Jobs. Receipts outlive their Project: one that is older than the
    namespace belongs to an earlier Project with this name, perhaps of another team, and is not returned.
    """
    receipt = receipts.find(project, name)
    if receipt is None:
        return missing
    created_at = milliseconds(projects.namespace(project).metadata.creation_timestamp)
    if created_at is None or receipt.created_at < created_at:
        return missing
    return JobCleanedUp(f"The Job {name} finished and was cleaned up; see `receipt` for its result.", receipt=receipt)
