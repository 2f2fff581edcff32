"""Announce finished Jobs: each is told of once its event was accepted, and then marked.

So whoever is interrupted tells again, and never forgets. Two runs at once may tell of a Job twice, with the same id.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import msgspec

from chalicelib.domain.errors import DeadlineExceeded, EventBusUnavailable, PageTokenExpired
from chalicelib.domain.finished.announcement import (
    UNANNOUNCED_SELECTOR,
    AnnouncementReport,
    announced_patch,
    build_announcement,
    is_recent,
)
from chalicelib.domain.finished.cleanup_report import Failure
from chalicelib.domain.names import job_name
from chalicelib.usecases.list_jobs import iter_pages
from chalicelib.usecases.list_projects import rotated
from chalicelib.usecases.ports import PARALLEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from chalicelib.domain.finished.announcement import Announcement
    from chalicelib.domain.kubernetes.jobs import Job, Namespace
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import ProjectName
    from chalicelib.usecases.ports import Jobs

BATCH_SIZE = 10
"""Events in a call, as many as EventBridge takes."""
TURN_SECONDS = 60
"""After which a run begins with another Project."""


class FinishedPods(Protocol):
    """What the cluster still has of finished Jobs; refusals are raised as ResearcherError."""

    def pods(self, project: ProjectName, job: Job) -> list[Pod]:
        """Get the pods of *job*, however they ended."""


class EventBus(Protocol):
    """Where events go."""

    def publish(self, announcements: Sequence[Announcement]) -> set[str]:
        """The ids of those that were accepted; EventBusUnavailable when none could be sent."""


class Ports(msgspec.Struct, frozen=True):
    """What an announcement reaches, as whom it acts; *is_late* once nothing new may be begun."""

    jobs: Jobs
    remains: FinishedPods
    bus: EventBus
    is_late: Callable[[], bool]


def announce(namespaces: Sequence[Namespace], cluster: str, now: datetime, ports: Ports) -> AnnouncementReport:
    """Announces what has finished in the Projects among *namespaces*. A Project that fails stops no other."""
    run = _Run(cluster, now, ports)
    projects = [project for _, project in rotated(namespaces, int(now.timestamp() // TURN_SECONDS))]
    total = AnnouncementReport()
    with ThreadPoolExecutor(PARALLEL) as pool:
        for one in pool.map(run.announce_in, projects):
            total.announced += one.announced
            total.truncated |= one.truncated
            for failure in one.failures:
                total.count_failed(failure)
    return total


class _Run:
    """One run in all Projects."""

    def __init__(self, cluster: str, now: datetime, ports: Ports) -> None:
        self._cluster = cluster
        self._now = now
        self._ports = ports

    def announce_in(self, project: ProjectName) -> AnnouncementReport:
        """What was announced of one Project; EventBusUnavailable ends the run, as nothing could be announced."""
        told = AnnouncementReport()
        try:
            for few in self._finished_batches(project):
                if self._ports.is_late():
                    told.truncated = True
                    break
                self._announce(project, few, told)
        except EventBusUnavailable:
            raise
        except (DeadlineExceeded, PageTokenExpired):
            told.truncated = True  # the next run looks anew, and what is marked is not listed again
        except Exception as error:  # noqa: BLE001 - one Project must not end the run of all
            told.count_failed(Failure.of(error, project))
        return told

    def _finished_batches(self, project: ProjectName) -> Iterator[list[Job]]:
        """The finished Jobs, a few at a time."""
        for page in iter_pages(project, UNANNOUNCED_SELECTOR, self._ports.jobs):
            finished = [job for job in page.items if job.finished and is_recent(job, self._now)]
            yield from (finished[start : start + BATCH_SIZE] for start in range(0, len(finished), BATCH_SIZE))

    def _announce(self, project: ProjectName, few: list[Job], told: AnnouncementReport) -> None:
        made = {job.metadata.uid: one for job in few if (one := self._announcement(project, job, told))}
        accepted = self._ports.bus.publish([*made.values()]) if made else set()
        for job in few:
            if job.metadata.uid in accepted:
                told.announced += 1
                self._mark(project, job, told)
            elif job.metadata.uid in made:
                told.count_failed(Failure(project, job.metadata.name, EventBusUnavailable.code))

    def _announcement(self, project: ProjectName, job: Job, told: AnnouncementReport) -> Announcement | None:
        try:
            pods = [pod for pod in self._ports.remains.pods(project, job) if pod.is_of(job)]
            return build_announcement(project, job, pods, self._cluster)
        except DeadlineExceeded:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one Job holds, the others are announced
            told.count_failed(Failure.of(error, project, job.metadata.name))
            return None

    def _mark(self, project: ProjectName, job: Job, told: AnnouncementReport) -> None:
        """Where the Job has changed since, or is gone, nothing is marked; if it is there, the next run tells again."""
        try:
            self._ports.jobs.patch(project, job_name(job.metadata.name), announced_patch(job))
        except Exception as error:  # noqa: BLE001 - as above
            told.count_failed(Failure.of(error, project, job.metadata.name))
