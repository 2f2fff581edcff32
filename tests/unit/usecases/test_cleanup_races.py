"""Cleanup of 10,000 Jobs while others work: no Job goes that should not, and every one is accounted for."""

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
RULES = RetentionPolicy(retention=3600, failed_retention=7200, max_deletions=JOBS, max_pending=60)
OLD = minutes_ago(180)
MARKED = {MANAGED_BY_LABEL: MANAGED_BY_VALUE}

KINDS: list[Callable[[str], Job]] = [
    lambda name: finished(name=name, at=OLD),
    lambda name: finished("Failed", name=name, at=OLD),
    lambda name: finished(name=name, at=minutes_ago(50), annotations={RETENTION_ANNOTATION: "45m"}),
    lambda name: finished(name=name, at=OLD, annotations={RETENTION_ANNOTATION: "30d"}),
    lambda name: finished(name=name, at=OLD, annotations={RETENTION_ANNOTATION: "?"}),
    lambda name: finished(name=name, at=OLD, labels={}),
    lambda name: finished(name=name, at=OLD, labels={**MARKED, KEEP_LABEL: "true"}),
    lambda name: finished(name=name, at=OLD, deletion_timestamp=NOW),
    lambda name: finished("Failed", name=name, at=minutes_ago(90)),
    lambda name: job(name, labels=MARKED, status=JobStatus(start_time=OLD, ready=1)),
    lambda name: job(name, labels=MARKED, spec=JobSpec(suspend=True)),
    lambda name: job(name, labels=MARKED, status=JobStatus(start_time=OLD, active=1)),
    lambda name: job(name, labels=MARKED, status=JobStatus(conditions=[Condition(type="Complete", status="True")])),
]
"""Jobs of every kind; the first three may go."""


class BusyJobs(FakeJobs):
    """A cluster on which others work: of the deletions one in ten fails, and one in seven meets another Job."""

    def __init__(self) -> None:
        super().__init__(*PROJECTS)
        self.is_busy = True
        self.gone: list[tuple[ProjectName, Job]] = []
        self._deletions = itertools.count(1)

    def delete(self, project: ProjectName, name: JobName, uid: str | None, version: str | None) -> None:
        """Deletes the Job, unless somebody was faster."""
        number, there = next(self._deletions), self.jobs.get((project, name))
        if self.is_busy and number % 10 == 0:
            raise ClusterUnavailable("Down.")
        if self.is_busy and number % 7 == 0 and there:
            changed = there.metadata.uid + ("-anew" if number % 2 else "")
            self.hold(project, job(name, uid=changed, resource_version="99", labels=MARKED, spec=JobSpec(suspend=True)))
        super().delete(project, name, uid, version)
        assert there
        self.gone.append((project, there))


def held() -> BusyJobs:
    """The Jobs, the kinds mixed in each Project."""
    jobs = BusyJobs()
    for number, make in zip(range(JOBS), itertools.cycle(KINDS), strict=False):
        made = make(f"job-{number:05}")
        made.metadata.resource_version = "1"
        made.metadata.uid = f"uid-{number}"
        jobs.hold(PROJECTS[number % len(PROJECTS)], made)
    return jobs


def run(jobs: FakeJobs, receipts: FakeReceipts, *, dry_run: bool = False) -> CleanupReport:
    """One cleanup of all of it."""
    ports = Ports(jobs, FakeRemains(jobs), receipts, lambda: False)
    return clean_up(NAMESPACES, RULES, NOW, ports, dry_run=dry_run)


def may_go(one: Job) -> bool:
    """Whether *one* has expired."""
    return cleanup_verdict(one, NAMESPACES[0], RULES, NOW) == "expired"


def reconciles(report: CleanupReport) -> bool:
    """Whether every Job that was looked at is accounted for, once."""
    late: tuple[SkipReason, ...] = ("changed", "dryRun", "brake", "outOfTime")
    found = report.deleted + report.failed + sum(report.skipped.get(reason, 0) for reason in late)
    return (found, report.scanned) == (
        report.eligible,
        report.deleted + report.failed + sum(report.skipped.values()),
    )


def test_overlapping_runs_delete_what_may_go_and_nothing_else() -> None:
    """While deletions fail, Jobs are made anew or change, lists are forgotten, and S3 is down for some."""
    jobs, receipts = held(), FakeReceipts()
    jobs.before("page", *[lambda: None] * 3, raising(PageTokenExpired("Too old.")))
    receipts.faults.extend([raising(StorageUnavailable("Down."))] * 100)

    with ThreadPoolExecutor(2) as both:
        reports = list(both.map(lambda _: run(jobs, receipts), range(2)))

    assert all(reconciles(report) for report in reports)
    assert sum(report.deleted for report in reports) == len(jobs.gone) > 1000
    assert all(report.skipped.get("changed") and report.failed for report in reports)
    assert all(may_go(one) for _, one in jobs.gone)
    kept = {(receipt.project, receipt.id) for receipt in receipts.stored.values()}
    assert {(project, one.metadata.uid) for project, one in jobs.gone} <= kept


def test_later_runs_leave_nothing_and_then_do_nothing() -> None:
    """What failed is tried again; what is clean stays as it is."""
    jobs, receipts = held(), FakeReceipts()
    expired = sorted(one.metadata.uid for one in jobs.jobs.values() if may_go(one))
    run(jobs, receipts)
    jobs.is_busy = False

    second, third = run(jobs, receipts), run(jobs, receipts)

    assert (second.failed, third.deleted, third.failed) == (0, 0, 0)
    assert not [one for one in jobs.jobs.values() if may_go(one)]
    assert sorted(receipt.id for receipt in receipts.stored.values()) == expired


def test_dry_run_plans_what_a_run_does() -> None:
    """Job by Job, in the same order, and nothing is sent."""
    jobs, receipts = held(), FakeReceipts()
    jobs.is_busy = False
    before = dict(jobs.jobs)

    planned = run(jobs, receipts, dry_run=True)

    assert (jobs.jobs, jobs.gone, receipts.stored) == (before, [], {})
    assert planned.jobs == run(jobs, receipts).jobs
    assert reconciles(planned)
    assert planned.scanned == JOBS
