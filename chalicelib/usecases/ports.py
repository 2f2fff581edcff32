"""The ports to the cluster that several use cases share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.job.log_query import LogQuery
    from chalicelib.domain.job.log_stream import LogStream
    from chalicelib.domain.job.logs import ContainerRun
    from chalicelib.domain.kubernetes.events import Event
    from chalicelib.domain.kubernetes.jobs import Job, JobList, Manifest
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import JobName, ProjectName

PARALLEL = 16
"""Concurrent requests to the cluster; the size of its connection pool."""


class Jobs(Protocol):
    """The Jobs of the cluster, as one caller. Methods raise ResearcherError."""

    def listed_secrets(self, project: ProjectName) -> frozenset[str]:
        """Return the Secrets that Jobs of the Project may use; read as the API itself. None if it does not exist."""

    def create(self, project: ProjectName, manifest: Manifest) -> Job | None:
        """Create the Job; return it, or None if the name exists already."""

    def preview(self, project: ProjectName, manifest: Manifest) -> Manifest | None:
        """Create the Job in a dry run; return it as the cluster would store it, or None if the name exists already."""

    def create_service(self, project: ProjectName, manifest: Manifest) -> None:
        """Create the Service, unless it exists already."""

    def patch(self, project: ProjectName, name: JobName, change: Manifest) -> Job | None:
        """Apply the merge patch *change*; return the Job, or None if it is gone or conflicts with *change*."""

    def find(self, project: ProjectName, name: JobName) -> Job | None:
        """Return the Job, or None."""

    def page(self, project: ProjectName, selector: str, limit: int, token: str | None) -> JobList:
        """Return the page of Jobs after *token* that match *selector*, at most *limit*, sorted by name."""

    def pods(self, project: ProjectName, jobs: Sequence[Job]) -> list[Pod]:
        """Return the pods of *jobs*."""

    def delete(
        self, project: ProjectName, name: JobName, uid: str | None, version: str | None, *, dry_run: bool = False
    ) -> None:
        """Delete the Job and its pods, if it still has this uid and resource version; in a dry run only check that."""


class Pods(Protocol):
    """The pods of the cluster, as one caller. Methods raise ResearcherError."""

    def of_job(self, project: ProjectName, job: Job, index: int | None = None) -> list[Pod]:
        """Return the pods of *job*, or of its *index*; of very many those that have not succeeded first."""

    def of_indexes(self, project: ProjectName, job: Job, indexes: Sequence[int]) -> list[Pod]:
        """Return the pods of these *indexes* of *job*."""

    def failed(self, project: ProjectName, job: Job) -> list[Pod]:
        """Return the failed pods of *job*."""

    def log(self, project: ProjectName, attempt: ContainerRun, query: LogQuery) -> bytes:
        """Return the log of *attempt* that *query* selects."""

    def events(self, project: ProjectName, uid: str) -> list[Event]:
        """Return the events of the object with *uid*."""

    def pod_events(self, project: ProjectName, pod: str) -> list[Event]:
        """Return the events of the pod with this name, which may be deleted."""


class LogReader(Protocol):
    """The logs of containers. Methods raise ResearcherError."""

    def read(self, project: ProjectName, run: ContainerRun, since: str | None, stream: LogStream) -> bool:
        """Feed the log to *stream* until that is full; return whether the log was read to its end."""

    def last_time(self, project: ProjectName, run: ContainerRun) -> str:
        """Return the timestamp of the last line."""

    def wait(self, project: ProjectName, run: ContainerRun, stream: LogStream) -> bool:
        """Wait until the log has more than *stream* has taken; return False if the time was over before."""
