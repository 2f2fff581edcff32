"""What the use cases need of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.job.logs import ContainerRun, LogQuery
    from chalicelib.domain.kubernetes.events import Event
    from chalicelib.domain.kubernetes.jobs import Job, JobList, Manifest
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import JobName, ProjectName

PARALLEL = 16
"""Calls to the cluster at once, as many as its connection pool holds."""


class Jobs(Protocol):
    """A Project's Jobs as one caller may reach them; refusals are raised as ResearcherError."""

    def listed_secrets(self, project: ProjectName) -> frozenset[str]:
        """The Secrets that the Project's Jobs may name, whoever asks; none where there is no such Project."""

    def create(self, project: ProjectName, manifest: Manifest) -> Job | None:
        """The Job made from *manifest*, or None when its name is taken."""

    def preview(self, project: ProjectName, manifest: Manifest) -> Manifest | None:
        """The Job as the cluster would store it, or None when its name is taken; nothing is made."""

    def create_service(self, project: ProjectName, manifest: Manifest) -> None:
        """Makes the Service of *manifest*, unless it is there already."""

    def patch(self, project: ProjectName, name: JobName, change: Manifest) -> Job | None:
        """The Job as the merge patch *change* leaves it, or None when it is gone, or another than *change* is for."""

    def find(self, project: ProjectName, name: JobName) -> Job | None:
        """The Job of that name, or None."""

    def page(self, project: ProjectName, selector: str, limit: int, token: str | None) -> JobList:
        """The next Jobs that match *selector*, at most *limit*, in the order of their names."""

    def pods(self, project: ProjectName, jobs: Sequence[Job]) -> list[Pod]:
        """The pods of *jobs*."""

    def delete(self, project: ProjectName, name: JobName, uid: str | None, version: str | None) -> None:
        """Deletes the Job and its pods, if it still has that uid and resource version."""


class Pods(Protocol):
    """A Project's pods as one caller may reach them; refusals are raised as ResearcherError."""

    def of_job(self, project: ProjectName, job: Job, index: int | None = None) -> list[Pod]:
        """The pods of *job*, or those of *index*; of very many all that have not succeeded, and some others."""

    def log(self, project: ProjectName, attempt: ContainerRun, query: LogQuery) -> bytes:
        """What *attempt* printed, as *query* wants it."""

    def events(self, project: ProjectName, uid: str) -> list[Event]:
        """The events about the object with *uid*."""

    def pod_events(self, project: ProjectName, pod: str) -> list[Event]:
        """The events about the pod of that name, which may be gone."""
