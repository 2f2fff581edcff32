"""Clean up: finished Jobs that are past their retention are deleted, each after its Receipt is stored.

Two runs at once do no harm: a Receipt is stored once, and a Job is deleted only as it was when it was decided upon.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from chalicelib.domain.errors import DeadlineExceeded, PageTokenExpired, ResearcherError
from chalicelib.domain.finished.cleanup_report import MAX_NAMED, CleanupReport, Failure, NamedJob, PendingJob
from chalicelib.domain.finished.retention import cleanup_verdict, is_stuck_pending, pending_seconds
from chalicelib.domain.job.status_reason import reason_of
from chalicelib.domain.labels import RETENTION_ANNOTATION
from chalicelib.usecases.delete_expired import delete_expired
from chalicelib.usecases.list_jobs import iter_pages
from chalicelib.usecases.list_projects import rotated
from chalicelib.usecases.ports import PARALLEL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chalicelib.domain.finished.cleanup_report import SkipReason
    from chalicelib.domain.finished.retention import RetentionPolicy
    from chalicelib.domain.kubernetes.jobs import Job, Namespace
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import ProjectName
    from chalicelib.usecases.delete_expired import Ports

TURN_SECONDS = 3600
"""After which a run begins with another Project."""


def clean_up(
    namespaces: Sequence[Namespace], rules: RetentionPolicy, now: datetime, ports: Ports, *, dry_run: bool
) -> CleanupReport:
    """Cleans up the Projects among *namespaces*, or only tells what it would do. One that fails stops no other."""
    run = _Run(rules, now, ports, CleanupReport(dry_run=dry_run))
    for namespace, project in rotated(namespaces, int(now.timestamp() // TURN_SECONDS)):
        if ports.is_late():
            run.report.truncated = True
            break
        run.clean_project(project, namespace)
    return run.report


class _Run:
    """One cleanup, and its report so far."""

    def __init__(self, rules: RetentionPolicy, now: datetime, ports: Ports, report: CleanupReport) -> None:
        self.report = report
        self._rules = rules
        self._now = now
        self._ports = ports
        self._chosen = 0

    def clean_project(self, project: ProjectName, namespace: Namespace) -> None:
        """Cleans up one Project, with a second start where the cluster has forgotten the list."""
        seen: set[str] = set()
        try:
            try:
                self._clean_pages(project, namespace, seen)
            except PageTokenExpired:
                self._clean_pages(project, namespace, seen)
        except DeadlineExceeded:
            self.report.truncated = True
        except Exception as error:  # noqa: BLE001 - one Project must not end the cleanup of all
            self.report.count_failed(Failure.of(error, project))

    def _clean_pages(self, project: ProjectName, namespace: Namespace, seen: set[str]) -> None:
        for page in iter_pages(project, "", self._ports.jobs):
            fresh = [job for job in page.items if job.metadata.uid not in seen]
            seen.update(job.metadata.uid for job in fresh)
            self._clean(project, self._expired(project, namespace, fresh))
            self._report_pending(project, fresh)
            if page.metadata.continue_ and self._ports.is_late():
                self.report.truncated = True
                return

    def _expired(self, project: ProjectName, namespace: Namespace, jobs: list[Job]) -> list[Job]:
        """Those of *jobs* that may go; why the others stay is counted."""
        self.report.scanned += len(jobs)
        expired = []
        for job in jobs:
            try:
                found = cleanup_verdict(job, namespace, self._rules, self._now)
            except Exception as error:  # noqa: BLE001 - whatever one Job holds, the others are cleaned up
                self.report.count_failed(Failure.of(error, project, job.metadata.name))
                continue
            if found == "expired":
                expired.append(job)
            else:
                self.report.count_skipped(found)
            if found == "unreadableRetention":
                whose = job.metadata.name if RETENTION_ANNOTATION in job.metadata.annotations else None
                self.report.note_failure(Failure(project, whose, "unreadable_retention"))
        self.report.eligible += len(expired)
        return expired

    def _clean(self, project: ProjectName, expired: list[Job]) -> None:
        room = max(0, self._rules.max_deletions - self._chosen)
        chosen = expired[:room]
        self._chosen += len(chosen)
        self.report.count_skipped("brake", len(expired) - len(chosen))
        with ThreadPoolExecutor(PARALLEL) as pool:
            for job, outcome in zip(chosen, pool.map(lambda one: self._outcome(project, one), chosen), strict=True):
                self._count(project, job, outcome)

    def _count(self, project: ProjectName, job: Job, outcome: SkipReason | Failure | None) -> None:
        if isinstance(outcome, Failure):
            self.report.count_failed(outcome)
            return
        if outcome is None:
            self.report.deleted += 1
        else:
            self.report.count_skipped(outcome)
        if outcome in {None, "dryRun"}:
            self.report.jobs.append(NamedJob(project, job.metadata.name))
        self.report.truncated |= outcome == "outOfTime"

    def _outcome(self, project: ProjectName, job: Job) -> SkipReason | Failure | None:
        return "dryRun" if self.report.dry_run else delete_expired(project, job, self._ports)

    def _report_pending(self, project: ProjectName, jobs: list[Job]) -> None:
        pending = [job for job in jobs if is_stuck_pending(job, self._rules, self._now)]
        self.report.pending += len(pending)
        told = pending[: MAX_NAMED - len(self.report.pending_jobs)]
        pods = self._pods(project, told)
        for job in told:
            reason = reason_of(job, [pod for pod in pods if pod.is_of(job)])
            waited, word = pending_seconds(job, self._now), reason.reason if reason else None
            self.report.pending_jobs.append(PendingJob(project, job.metadata.name, waited, word))

    def _pods(self, project: ProjectName, jobs: list[Job]) -> list[Pod]:
        try:
            return self._ports.jobs.pods(project, jobs) if jobs else []
        except ResearcherError:
            return []  # that a Job waits is worth more than why
