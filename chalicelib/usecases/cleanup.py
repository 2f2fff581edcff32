"""Clean up: delete finished Jobs whose retention has expired, each after its Receipt is stored.

1. List the Jobs of each Project, a page at a time. If the page token expires, list once again from the start.
2. Decide for each Job whether it has expired; count the reason why the others stay.
3. Delete the expired Jobs, in parallel, up to the deletion limit of the run (see `delete_expired`).
4. Report the Jobs that have been pending for too long.

Concurrent runs are safe: a Receipt is stored once, and a Job is deleted only at the uid and resource version for which
its deletion was decided.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from chalicelib.domain.errors import DeadlineExceeded, PageTokenExpired, ResearcherError
from chalicelib.domain.finished.cleanup_report import MAX_NAMED, CleanupReport, Failure, NamedJob, PendingJob
from chalicelib.domain.finished.retention import cleanup_verdict, is_stuck_pending, pending_seconds
from chalicelib.domain.job.status import assess
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
"""After this time, a run begins with the next Project."""


def clean_up(
    namespaces: Sequence[Namespace], policy: RetentionPolicy, now: datetime, ports: Ports, *, dry_run: bool
) -> CleanupReport:
    """Clean up the Projects among *namespaces*; the failure of one Project does not stop the others.

    If *dry_run*, only report which Jobs would be deleted.
    """
    run = _Run(policy, now, ports, CleanupReport(dry_run=dry_run))
    for namespace, project in rotated(namespaces, int(now.timestamp() // TURN_SECONDS)):
        if ports.is_late():
            run.report.truncated = True
            break
        run.clean_project(project, namespace)
    return run.report


class _Run:
    """One run of the cleanup, with its report."""

    def __init__(self, policy: RetentionPolicy, now: datetime, ports: Ports, report: CleanupReport) -> None:
        self.report = report
        self._policy = policy
        self._now = now
        self._ports = ports
        self._selected = 0

    def clean_project(self, project: ProjectName, namespace: Namespace) -> None:
        """Clean up one Project; list its Jobs once again if the page token expires."""
        seen: set[str] = set()
        try:
            try:
                self._clean_pages(project, namespace, seen)
            except PageTokenExpired:
                self._clean_pages(project, namespace, seen)
        except DeadlineExceeded:
            self.report.truncated = True
        except Exception as error:  # noqa: BLE001 - the run continues with the other Projects
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
        """Return the expired ones of *jobs*; count why the others are skipped."""
        self.report.scanned += len(jobs)
        expired = []
        for job in jobs:
            try:
                verdict = cleanup_verdict(job, namespace, self._policy, self._now)
            except Exception as error:  # noqa: BLE001 - a malformed Job does not stop the others
                self.report.count_failed(Failure.of(error, project, job.metadata.name))
                continue
            if verdict == "expired":
                expired.append(job)
            else:
                self.report.count_skipped(verdict)
            if verdict == "unreadableRetention":
                # The invalid annotation is that of the Job, or of its Project.
                name = job.metadata.name if RETENTION_ANNOTATION in job.metadata.annotations else None
                self.report.note_failure(Failure(project, name, "unreadable_retention"))
        self.report.eligible += len(expired)
        return expired

    def _clean(self, project: ProjectName, expired: list[Job]) -> None:
        remaining = max(0, self._policy.max_deletions - self._selected)
        selected = expired[:remaining]
        self._selected += len(selected)
        self.report.count_skipped("brake", len(expired) - len(selected))
        with ThreadPoolExecutor(PARALLEL) as pool:
            outcomes = pool.map(lambda job: self._outcome(project, job), selected)
            for job, outcome in zip(selected, outcomes, strict=True):
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
        pending = [job for job in jobs if is_stuck_pending(job, self._policy, self._now)]
        self.report.pending += len(pending)
        named = pending[: MAX_NAMED - len(self.report.pending_jobs)]
        pods = self._pods(project, named)
        for job in named:
            reason = assess(job, [pod for pod in pods if pod.is_of(job)]).reason
            waited, word = pending_seconds(job, self._now), reason.reason if reason else None
            self.report.pending_jobs.append(PendingJob(project, job.metadata.name, waited, word))

    def _pods(self, project: ProjectName, jobs: list[Job]) -> list[Pod]:
        try:
            return self._ports.jobs.pods(project, jobs) if jobs else []
        except ResearcherError:
            return []  # the pending Jobs are reported without their reason
