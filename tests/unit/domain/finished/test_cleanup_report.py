"""Tests of the report of a cleanup."""

from __future__ import annotations

import json

import msgspec

from chalicelib.domain.errors import ClusterUnavailable
from chalicelib.domain.failure_reasons import FailureReason, note_reason
from chalicelib.domain.finished.cleanup_report import MAX_NAMED, CleanupReport, Failure, NamedJob, PendingJob

FORBIDDEN = Failure("team-a", "train-1", "forbidden")


class TestCountSkipped:
    """Tests of count_skipped."""

    def test_counts_by_reason(self) -> None:
        """Reasons without Jobs are omitted; reports do not share their counters."""
        report = CleanupReport(dry_run=False)

        report.count_skipped("young", 2)
        report.count_skipped("young")
        report.count_skipped("brake", 0)

        assert (report.skipped, CleanupReport(dry_run=False).skipped) == ({"young": 3}, {})


class TestFailures:
    """Tests of count_failed and note_failure."""

    def test_counts_only_jobs(self) -> None:
        """A Project that fails is listed, but not counted as a Job."""
        report = CleanupReport(dry_run=False)

        report.count_failed(FORBIDDEN)
        report.count_failed(Failure("team-b", None, "forbidden"))

        assert (report.failed, len(report.failures)) == (1, 2)

    def test_has_the_reason(self) -> None:
        """The report is a log line, which says why a Project or a Job failed."""
        error = note_reason(ClusterUnavailable("Try again later."), FailureReason.CONNECT_TIMEOUT)

        assert Failure.of(error, "team-a") == Failure("team-a", None, "cluster_unavailable", why="connect_timeout")

    def test_list_of_failures_is_limited(self) -> None:
        """Each failure is listed once, up to MAX_NAMED failures."""
        report = CleanupReport(dry_run=False)

        for number in range(MAX_NAMED + 1):
            report.note_failure(Failure("team-a", f"train-{number // 2}", "forbidden"))
        distinct = len(report.failures)
        for number in range(MAX_NAMED + 1):
            report.note_failure(Failure("team-b", f"train-{number}", "forbidden"))

        assert (distinct, len(report.failures)) == (MAX_NAMED // 2 + 1, MAX_NAMED)


class TestOutput:
    """Tests of the response, the log fields and the metrics."""

    def test_json(self) -> None:
        """The whole report is the response of the function."""
        report = CleanupReport(
            dry_run=True, failures=[FORBIDDEN], pending_jobs=[PendingJob("team-a", "train-2", 9, None)]
        )  # fmt: skip

        wire = json.loads(msgspec.json.encode(report))

        assert wire["dryRun"] is True
        assert wire["failures"] == [{"project": "team-a", "name": "train-1", "code": "forbidden"}]
        assert wire["pendingJobs"] == [{"project": "team-a", "name": "train-2", "seconds": 9, "reason": None}]

    def test_log_fields_and_metrics(self) -> None:
        """The log does not list the deleted Jobs, which have Receipts; metrics are numbers only."""
        report = CleanupReport(
            dry_run=False, scanned=3, deleted=2, truncated=True, jobs=[NamedJob("team-a", "train-1")]
        )

        assert report.counts == {
            "Scanned": 3, "Eligible": 0, "Deleted": 2, "Failed": 0, "Pending": 0, "Truncated": 1
        }  # fmt: skip
        assert report.log_fields.keys() == msgspec.to_builtins(report).keys() - {"jobs", "seconds"}
