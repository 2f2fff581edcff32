"""A cleanup of 10,000 Jobs with concurrent changes: only expired Jobs are deleted, and every Job is counted."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from chalicelib.domain.errors import ClusterUnavailable, PageTokenExpired, StorageUnavailable
from chalicelib.domain.finished.retention import RetentionPolicy, cleanup_verdict
from chalicelib.domain.kubernetes.jobs import Condition, JobSpec, JobStatus
from chalicelib.domain.labels import KEEP_LABEL, MANAGED_BY_LABEL, MANAGED_BY_VALUE, RETENTION_ANNOTATION
from chalicelib.domain.names import ProjectName
from chalicelib.usecases.cleanup import clean_up
from chalicelib.usecases.delete_expired import Ports
from tests.support.builders import NOW, finished, job, minutes_ago, project_namespace
from tests.support.fakes import FakeJobs, FakeReceipts, FakeRemains, raising

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.finished.cleanup_report import CleanupReport, SkipReason
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.names import JobName

PROJECTS = [ProjectName(f"team-{letter}") for letter in "abcde"]
NAMESPACES = [project_namespace(project) for project in PROJECTS]
JOBS = 10_000
POLICY = RetentionPolicy(retention=3600, failed_retention=7200, max_deletions=JOBS, max_pending=60)
EXPIRED_AT = minutes_ago(180)
MANAGED_LABELS = {MANAGED_BY_LABEL: MANAGED_BY_VALUE}

KINDS: list[Callable[[str], Job]] = [
    lambda name: finished(name=name, at=EXPIRED_AT),
    lambda name: finished("Failed", name=name, at=EXPIRED_AT),
    lambda name: finished(name=name, at=minutes_ago(50), annotations={RETENTION_ANNOTATION: "45m"}),
    lambda name: finished(name=name, at=EXPIRED_AT, annotations={RETENTION_ANNOTATION: "30d"}),
    lambda name: finished(name=name, at=EXPIRED_AT, annotations={RETENTION_ANNOTATION: "?"}),
    lambda name: finished(name=name, at=EXPIRED_AT, labels={}),
    lambda name: finished(name=name, at=EXPIRED_AT, labels={**MANAGED_LABELS, KEEP_LABEL: "true"}),
    lambda name: finished(name=name, at=EXPIRED_AT, deletion_timestamp=NOW),
    lambda name: finished("Failed", name=name, at=minutes_ago(90)),
    lambda name: job(name, labels=MANAGED_LABELS, status=JobStatus(start_time=EXPIRED_AT, ready=1)),
    lambda name: job(name, labels=MANAGED_LABELS, spec=JobSpec(suspend=True)),
    lambda name: job(name, labels=MANAGED_LABELS, status=JobStatus(start_time=EXPIRED_AT, active=1)),
    lambda name: job(
        name, labels=MANAGED_LABELS, status=JobStatus(conditions=[Condition(type="Complete", status="True")])
    ),
]
"""Jobs of every kind; the first three have expired."""


class BusyJobs(FakeJobs):
    """A cluster with concurrent changes: every tenth deletion fails, and before every seventh the Job is changed."""

    def __init__(self) -> None:
        super().__init__(*PROJECTS)
        self.is_busy = True
        self.deleted: list[tuple[ProjectName, Job]] = []
        self._deletions = itertools.count(1)

    def delete(
        self, project: ProjectName, name: JobName, uid: str | None, version: str | None, *, dry_run: bool = False
    ) -> None:
        """Delete the Job, unless it was changed or replaced before."""
        number, current = next(self._deletions), self.jobs.get((project, name))
        if self.is_busy and number % 10 == 0:
            raise ClusterUnavailable("Down.")
        if self.is_busy and number % 7 == 0 and current:
            changed = current.metadata.uid + ("-new" if number % 2 else "")
            self.hold(
                project,
                job(name, uid=changed, resource_version="99", labels=MANAGED_LABELS, spec=JobSpec(suspend=True)),
            )
        super().delete(project, name, uid, version, dry_run=dry_run)
        assert current
        self.deleted.append((project, current))


def all_kinds() -> BusyJobs:
    """Return the cluster with Jobs of all kinds in each Project."""
    jobs = BusyJobs()
    for number, make in zip(range(JOBS), itertools.cycle(KINDS), strict=False):
        created = make(f"job-{number:05}")
        created.metadata.resource_version = "1"
        created.metadata.uid = f"uid-{number}"
        jobs.hold(PROJECTS[number % len(PROJECTS)], created)
    return jobs


def run(jobs: FakeJobs, receipts: FakeReceipts, *, dry_run: bool = False) -> CleanupReport:
    """Clean up all Projects once."""
    ports = Ports(jobs, FakeRemains(jobs), receipts, lambda: False)
    return clean_up(NAMESPACES, POLICY, NOW, ports, dry_run=dry_run)


def is_expired(checked: Job) -> bool:
    """Return whether *checked* has expired."""
    return cleanup_verdict(checked, NAMESPACES[0], POLICY, NOW) == "expired"


def reconciles(report: CleanupReport) -> bool:
    """Return whether every scanned Job is counted once."""
    late: tuple[SkipReason, ...] = ("changed", "dryRun", "brake", "outOfTime")
    found = report.deleted + report.failed + sum(report.skipped.get(reason, 0) for reason in late)
    return (found, report.scanned) == (
        report.eligible,
        report.deleted + report.failed + sum(report.skipped.values()),
    )


def test_concurrent_runs_delete_only_expired_jobs() -> None:
    """While deletions fail, Jobs change or are replaced, page tokens expire, and S3 is unavailable for some."""
    jobs, receipts = all_kinds(), FakeReceipts()
    jobs.before("page", *[lambda: None] * 3, raising(PageTokenExpired("Too old.")))
    receipts.faults.extend([raising(StorageUnavailable("Down."))] * 100)

    with ThreadPoolExecutor(2) as executor:
        reports = list(executor.map(lambda _: run(jobs, receipts), range(2)))

    assert all(reconciles(report) for report in reports)
    assert sum(report.deleted for report in reports) == len(jobs.deleted) > 1000
    assert all(report.skipped.get("changed") and report.failed for report in reports)
    assert all(is_expired(checked) for _, checked in jobs.deleted)
    stored = {(receipt.project, receipt.id) for receipt in receipts.stored.values()}
    assert {(project, checked.metadata.uid) for project, checked in jobs.deleted} <= stored


def test_later_runs_delete_the_rest() -> None:
    """Failed deletions are repeated, and then nothing is left to do."""
    jobs, receipts = all_kinds(), FakeReceipts()
    expired = sorted(checked.metadata.uid for checked in jobs.jobs.values() if is_expired(checked))
    run(jobs, receipts)
    jobs.is_busy = False

    second, third = run(jobs, receipts), run(jobs, receipts)

    assert (second.failed, third.deleted, third.failed) == (0, 0, 0)
    assert not [checked for checked in jobs.jobs.values() if is_expired(checked)]
    assert sorted(receipt.id for receipt in receipts.stored.values()) == expired


def test_dry_run_reports_what_a_run_deletes() -> None:
    """The Jobs are the same, in the same order, and nothing is changed."""
    jobs, receipts = all_kinds(), FakeReceipts()
    jobs.is_busy = False
    before = dict(jobs.jobs)

    planned = run(jobs, receipts, dry_run=True)

    assert (jobs.jobs, jobs.deleted, receipts.stored) == (before, [], {})
    assert planned.jobs == run(jobs, receipts).jobs
    assert reconciles(planned)
    assert planned.scanned == JOBS
