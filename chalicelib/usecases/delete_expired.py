"""Delete one expired Job.

1. Read the stored Job; skip it if its uid or resource version has changed since its deletion was decided.
2. Read its pods, and the log tail of the most informative one.
3. Store the Receipt. If this fails, the Job stays for the next run.
4. Delete the Job with its uid and resource version as preconditions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from chalicelib.domain.errors import DeadlineExceeded, JobNotFound, PreconditionFailed
from chalicelib.domain.finished.cleanup_report import Failure
from chalicelib.domain.finished.receipt import build_receipt, logged_container
from chalicelib.domain.names import job_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.finished.cleanup_report import SkipReason
    from chalicelib.domain.finished.receipt import Receipt
    from chalicelib.domain.kubernetes.jobs import Job, Manifest
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.usecases.ports import Jobs


class FinishedJobs(Protocol):
    """The stored objects and logs of finished Jobs. Methods raise ResearcherError."""

    def manifest(self, project: ProjectName, name: JobName) -> Manifest | None:
        """Return the Job as the cluster stores it, or None."""

    def pods(self, project: ProjectName, job: Job) -> list[Pod]:
        """Return the pods of *job* in any phase."""

    def log_tail(self, project: ProjectName, pod: Pod, container: str) -> str | None:
        """Return the last lines of the container's log, or None if it is not available."""


class Receipts(Protocol):
    """The store of Receipts."""

    def store(self, receipt: Receipt) -> None:
        """Store *receipt* unless it is stored already; ResearcherError if this fails."""


class Ports(msgspec.Struct, frozen=True):
    """The ports of the cleanup; *is_late* returns whether it is too late to begin with another Job."""

    jobs: Jobs
    finished_jobs: FinishedJobs
    receipts: Receipts
    is_late: Callable[[], bool]


def delete_expired(project: ProjectName, job: Job, ports: Ports) -> SkipReason | Failure | None:
    """Delete *job* if it is unchanged; return None if it was deleted, otherwise the reason why not."""
    if ports.is_late():
        return "outOfTime"
    try:
        return _delete(project, job, ports)
    except (JobNotFound, PreconditionFailed):
        return "changed"
    except DeadlineExceeded:
        return "outOfTime"
    except Exception as error:  # noqa: BLE001 - a malformed Job does not stop the others
        return Failure.of(error, project, job.metadata.name)


def _delete(project: ProjectName, job: Job, ports: Ports) -> SkipReason | None:
    name, meta = job_name(job.metadata.name), job.metadata
    manifest = ports.finished_jobs.manifest(project, name)
    if manifest is None or _identity(manifest) != (meta.uid, meta.resource_version):
        return "changed"
    pods = [pod for pod in ports.finished_jobs.pods(project, job) if pod.is_of(job)]
    logged = logged_container(job, pods)
    log = ports.finished_jobs.log_tail(project, *logged) if logged else None
    ports.receipts.store(build_receipt(project, manifest, pods, log))
    ports.jobs.delete(project, name, meta.uid, meta.resource_version)
    return None


def _identity(manifest: Manifest) -> tuple[str, str]:
    return manifest["metadata"]["uid"], manifest["metadata"]["resourceVersion"]
