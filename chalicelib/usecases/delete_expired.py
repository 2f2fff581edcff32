"""Delete one Job whose retention is over, after its Receipt is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from chalicelib.domain.errors import DeadlineExceeded, JobNotFound, PreconditionFailed
from chalicelib.domain.finished.cleanup_report import Failure
from chalicelib.domain.finished.receipt import build_receipt, most_informative_pod
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
    """What the cluster still has of finished Jobs; refusals are raised as ResearcherError."""

    def manifest(self, project: ProjectName, name: JobName) -> Manifest | None:
        """The Job of that name as the cluster stores it, or None."""

    def pods(self, project: ProjectName, job: Job) -> list[Pod]:
        """Get the pods of *job*, however they ended."""

    def log_tail(self, project: ProjectName, pod: Pod) -> str | None:
        """The last lines of the pod's log, or None when they cannot be had."""


class Receipts(Protocol):
    """Where Receipts are kept."""

    def store(self, receipt: Receipt) -> None:
        """Stores *receipt*, once; ResearcherError when it is not stored."""


class Ports(msgspec.Struct, frozen=True):
    """What a cleanup reaches, as whom it acts; *is_late* once nothing new may be begun."""

    jobs: Jobs
    remains: FinishedJobs
    receipts: Receipts
    is_late: Callable[[], bool]


def delete_expired(project: ProjectName, job: Job, ports: Ports) -> SkipReason | Failure | None:
    """Deletes *job* if it is still as it was when it was decided upon; None when it was, else why it was not."""
    if ports.is_late():
        return "outOfTime"
    try:
        return _delete(project, job, ports)
    except (JobNotFound, PreconditionFailed):
        return "changed"
    except DeadlineExceeded:
        return "outOfTime"
    except Exception as error:  # noqa: BLE001 - whatever one Job holds, the cleanup goes on with the others
        return Failure.of(error, project, job.metadata.name)


def _delete(project: ProjectName, job: Job, ports: Ports) -> SkipReason | None:
    name, meta = job_name(job.metadata.name), job.metadata
    manifest = ports.remains.manifest(project, name)
    if manifest is None or _identity(manifest) != (meta.uid, meta.resource_version):
        return "changed"
    pods = [pod for pod in ports.remains.pods(project, job) if pod.is_of(job)]
    telling = most_informative_pod(pods)
    log = ports.remains.log_tail(project, telling) if telling else None
    ports.receipts.store(build_receipt(project, manifest, pods, log))
    ports.jobs.delete(project, name, meta.uid, meta.resource_version)
    return None


def _identity(manifest: Manifest) -> tuple[str, str]:
    return manifest["metadata"]["uid"], manifest["metadata"]["resourceVersion"]
