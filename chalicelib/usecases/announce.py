"""Announce finished Jobs on the event bus, at least once.

1. List the finished Jobs without the announced label, a page at a time.
2. Publish an event for each, in batches of BATCH_SIZE.
3. Set the label on the Jobs whose event was accepted, so that the next run does not list them, and record their end.

An interrupted run therefore repeats an event and never loses one. Two concurrent runs may publish the event of a Job
twice, with the same id.
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
    from chalicelib.domain.kubernetes.jobs import Job, Manifest, Namespace
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import ProjectName
    from chalicelib.usecases.ports import Jobs

BATCH_SIZE = 10
"""Events in one request; EventBridge's limit."""
TURN_SECONDS = 60
"""After this time, a run begins with the next Project."""


class FinishedPods(Protocol):
    """The pods of finished Jobs. Methods raise ResearcherError."""

    def pods(self, project: ProjectName, job: Job) -> list[Pod]:
        """Return the pods of *job* in any phase."""


class EventBus(Protocol):
    """The event bus."""

    def publish(self, announcements: Sequence[Announcement]) -> set[str]:
        """Publish *announcements*; return the ids of those that were accepted, EventBusUnavailable if none."""


class Ports(msgspec.Struct, frozen=True):
    """The ports of the announcement; *is_late* returns whether it is too late to begin another batch."""

    jobs: Jobs
    finished_pods: FinishedPods
    bus: EventBus
    is_late: Callable[[], bool]


def announce(namespaces: Sequence[Namespace], cluster: str, now: datetime, ports: Ports) -> AnnouncementReport:
    """Announce the finished Jobs of the Projects among *namespaces*; the failure of one does not stop the others."""
    run = _Run(cluster, now, ports)
    projects = [project for _, project in rotated(namespaces, int(now.timestamp() // TURN_SECONDS))]
    total = AnnouncementReport()
    with ThreadPoolExecutor(PARALLEL) as pool:
        for report in pool.map(run.announce_in, projects):
            total.announced += report.announced
            total.truncated |= report.truncated
            for failure in report.failures:
                total.count_failed(failure)
    return total


class _Run:
    """One run for all Projects."""

    def __init__(self, cluster: str, now: datetime, ports: Ports) -> None:
        self._cluster = cluster
        self._now = now
        self._ports = ports

    def announce_in(self, project: ProjectName) -> AnnouncementReport:
        """Announce the finished Jobs of one Project; EventBusUnavailable ends the run, as it would fail for all."""
        report = AnnouncementReport()
        try:
            for batch in self._finished_batches(project):
                if self._ports.is_late():
                    report.truncated = True
                    break
                self._announce(project, batch, report)
        except EventBusUnavailable:
            raise
        except (DeadlineExceeded, PageTokenExpired):
            report.truncated = True  # the next run lists again, without the Jobs that have the label
        except Exception as error:  # noqa: BLE001 - the run continues with the other Projects
            report.count_failed(Failure.of(error, project))
        return report

    def _finished_batches(self, project: ProjectName) -> Iterator[list[Job]]:
        """Yield the finished Jobs in batches."""
        for page in iter_pages(project, UNANNOUNCED_SELECTOR, self._ports.jobs):
            finished = [job for job in page.items if job.finished and is_recent(job, self._now)]
            yield from (finished[start : start + BATCH_SIZE] for start in range(0, len(finished), BATCH_SIZE))

    def _announce(self, project: ProjectName, batch: list[Job], report: AnnouncementReport) -> None:
        built = ((job, self._announcement(project, job, report)) for job in batch)
        announced = {job.metadata.uid: each for job, each in built if each}
        accepted = self._ports.bus.publish([each for each, _ in announced.values()]) if announced else set()
        for job in batch:
            if job.metadata.uid in accepted:
                report.announced += 1
                self._set_label(project, job, announced[job.metadata.uid][1], report)
            elif job.metadata.uid in announced:
                report.count_failed(Failure(project, job.metadata.name, EventBusUnavailable.code))

    def _announcement(
        self, project: ProjectName, job: Job, report: AnnouncementReport
    ) -> tuple[Announcement, Manifest] | None:
        """Return the announcement of *job*, and the patch for the time after it."""
        try:
            pods = [pod for pod in self._ports.finished_pods.pods(project, job) if pod.is_of(job)]
            announcement = build_announcement(project, job, pods, self._cluster)
            return announcement, announced_patch(job, announcement, pods)
        except DeadlineExceeded:
            raise
        except Exception as error:  # noqa: BLE001 - a malformed Job does not stop the others
            report.count_failed(Failure.of(error, project, job.metadata.name))
            return None

    def _set_label(self, project: ProjectName, job: Job, patch: Manifest, report: AnnouncementReport) -> None:
        """Set the announced label, the outcome and the start; if the Job has changed, the next run repeats this."""
        try:
            self._ports.jobs.patch(project, job_name(job.metadata.name), patch)
        except Exception as error:  # noqa: BLE001 - as above
            report.count_failed(Failure.of(error, project, job.metadata.name))
