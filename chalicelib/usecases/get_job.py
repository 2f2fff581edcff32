"""Get a Job, wait until it changes, and explain why it is missing."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

from chalicelib.domain.errors import JobCleanedUp, JobNotFound
from chalicelib.domain.job.view import JobView, milliseconds, view

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chalicelib.domain.finished.receipt import Receipt
    from chalicelib.domain.job.view import JobView
    from chalicelib.domain.kubernetes.jobs import Job, Namespace
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.usecases.ports import Jobs


def get_job(project: ProjectName, name: JobName, jobs: Jobs) -> tuple[JobView, str]:
    """The Job and its resource version; JobNotFound when there is none."""
    job = require_job(project, name, jobs)
    return view_with_pods(project, job, jobs), job.metadata.resource_version


def require_job(project: ProjectName, name: JobName, jobs: Jobs) -> Job:
    """The Job of that name; JobNotFound when there is none."""
    job = jobs.find(project, name)
    if job is None:
        raise JobNotFound.named(project, name)
    return job


def view_with_pods(project: ProjectName, job: Job, jobs: Jobs) -> JobView:
    """The view of *job* together with its pods."""
    pods = pods_by_job(jobs.pods(project, [job]))
    return view(project, job, pods[job.metadata.uid])


def pods_by_job(pods: Sequence[Pod]) -> dict[str, list[Pod]]:
    """Pods by the uid of their Job: a Job of the same name may have had others."""
    owned = defaultdict(list)
    for pod in pods:
        for owner in pod.metadata.owner_references:
            owned[owner.uid].append(pod)
    return owned


class JobChanges(Protocol):
    """Tells when it is worth looking at a Job again, for as long as one caller waits."""

    def wait(self, project: ProjectName, name: JobName, version: str) -> bool:
        """Waits until the Job may be another than at *version*; False when the time to wait is over already."""


def await_job(
    project: ProjectName, name: JobName, holds: Callable[[JobView, str], bool], jobs: Jobs, changes: JobChanges
) -> tuple[JobView, str]:
    """The Job and its resource version once *holds* is true of them, or as they are when the time is over."""
    job, version = get_job(project, name, jobs)
    while not holds(job, version) and changes.wait(project, name, version):
        job, version = get_job(project, name, jobs)
    return job, version


class StoredReceipts(Protocol):
    """Where Receipts are kept."""

    def find(self, project: ProjectName, name: JobName) -> Receipt | None:
        """The newest Receipt of a Job of that name, or None."""


class Projects(Protocol):
    """The Projects of the cluster; refusals are raised as ResearcherError."""

    def namespace(self, project: ProjectName) -> Namespace:
        """The Project's namespace; Forbidden where there is none, or where it is no Project."""


def explain_missing_job(
    missing: JobNotFound, project: ProjectName, name: JobName, receipts: StoredReceipts, projects: Projects
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
