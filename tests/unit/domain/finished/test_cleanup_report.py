"""What a cleanup reports."""

from __future__ import annotations

import json

import msgspec

from chalicelib.domain.finished.cleanup_report import MAX_NAMED, CleanupReport, Failure, NamedJob, PendingJob

REFUSED = Failure("team-a", "train-1", "forbidden")


class TestSkip:
    """Jobs that stay."""

    def test_are_counted_by_their_reason(self) -> None:
        """A reason that nothing stays for is not named; the next report begins anew."""
        report = CleanupReport(dry_run=False)

        report.count_skipped("young", 2)
        report.count_skipped("young")
        report.count_skipped("brake", 0)

        assert (report.skipped, CleanupReport(dry_run=False).skipped) == ({"young": 3}, {})


class TestFail:
    """What could not be done."""

    def test_counts_jobs_alone(self) -> None:
        """A Project that fails is named; how many Jobs it has, nobody knows."""
        report = CleanupReport(dry_run=False)

        report.count_failed(REFUSED)
        report.count_failed(Failure("team-b", None, "forbidden"))

        assert (report.failed, len(report.failures)) == (1, 2)

    def test_names_each_once_and_not_all(self) -> None:
        """The report stays readable."""
        report = CleanupReport(dry_run=False)

        for number in range(MAX_NAMED + 1):
            report.note_failure(Failure("team-a", f"train-{number // 2}", "forbidden"))
        once = len(report.failures)
        for number in range(MAX_NAMED + 1):
            report.note_failure(Failure("team-b", f"train-{number}", "forbidden"))

        assert (once, len(report.failures)) == (MAX_NAMED // 2 + 1, MAX_NAMED)


class TestTold:
    """Where it is told."""

    def test_whole_as_json(self) -> None:
        """As `aws lambda invoke` shows it."""
        report = CleanupReport(
            dry_run=True, failures=[REFUSED], pending_jobs=[PendingJob("team-a", "train-2", 9, None)]
        )  # fmt: skip

        wire = json.loads(msgspec.json.encode(report))

        assert wire["dryRun"] is True
        assert wire["failures"] == [{"project": "team-a", "name": "train-1", "code": "forbidden"}]
        assert wire["pendingJobs"] == [{"project": "team-a", "name": "train-2", "seconds": 9, "reason": None}]

    def test_in_the_log_without_its_jobs(self) -> None:
        """There may be thousands, and their Receipts tell of them; CloudWatch takes numbers alone."""
        report = CleanupReport(
            dry_run=False, scanned=3, deleted=2, truncated=True, jobs=[NamedJob("team-a", "train-1")]
        )

        assert report.counts == {
            "Scanned": 3, "Eligible": 0, "Deleted": 2, "Failed": 0, "Pending": 0, "Truncated": 1
        }  # fmt: skip
        assert report.log_fields.keys() == msgspec.to_builtins(report).keys() - {"jobs", "seconds"}
