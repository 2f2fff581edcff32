"""What a cleanup reports: what it found, what it did, and why it left the rest."""

from __future__ import annotations

from typing import Literal

import msgspec

from chalicelib.domain.errors import InternalError, ResearcherError
from chalicelib.domain.finished.retention import Verdict

SkipReason = Verdict | Literal["changed", "dryRun", "brake", "outOfTime"]
"""Why a Job was not deleted: by its verdict, or, though it had expired, by what happened to it or to the run."""

MAX_NAMED = 100
"""Failures, and pending Jobs, that are named; all are counted."""


class NamedJob(msgspec.Struct, frozen=True):
    """A Job that was deleted or, in a dry run, would be."""

    project: str
    name: str


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """What could not be done, by the error's code; without a name it is about the whole Project."""

    project: str
    name: str | None
    code: str
    error: str | None = None
    """The class of an exception that was not foreseen. Its text stays out of the log, since it may hold anything."""

    @classmethod
    def of(cls, error: Exception, project: str, name: str | None = None) -> Failure:
        """Build the Failure that *error* means."""
        if isinstance(error, ResearcherError):
            return cls(project, name, error.code)
        return cls(project, name, InternalError.code, type(error).__name__)


class PendingJob(msgspec.Struct, frozen=True):
    """A Job that has not started for too long, and the reason in one word, if anybody knows."""

    project: str
    name: str
    seconds: int
    reason: str | None


class CleanupReport(msgspec.Struct, rename="camel", kw_only=True):
    """One run. `scanned` is `deleted`, `failed` and all that was `skipped`, together."""

    dry_run: bool
    scanned: int = 0
    eligible: int = 0
    deleted: int = 0
    failed: int = 0
    pending: int = 0
    truncated: bool = False
    seconds: float = 0.0
    skipped: dict[SkipReason, int] = {}
    failures: list[Failure] = []
    pending_jobs: list[PendingJob] = []
    jobs: list[NamedJob] = []

    def count_skipped(self, reason: SkipReason, count: int = 1) -> None:
        """Counts Jobs that stay for that *reason*."""
        if count:
            self.skipped[reason] = self.skipped.get(reason, 0) + count

    def count_failed(self, failure: Failure) -> None:
        """Counts a Job that could not be deleted, or names a Project that could not be cleaned up."""
        self.failed += failure.name is not None
        self.note_failure(failure)

    def note_failure(self, failure: Failure) -> None:
        """Names what somebody should look at."""
        if len(self.failures) < MAX_NAMED and failure not in self.failures:
            self.failures.append(failure)

    @property
    def log_fields(self) -> dict[str, object]:
        """What of it goes into the log line: everything but the Jobs, whose Receipts tell of them."""
        told: dict[str, object] = msgspec.to_builtins(self)
        return {name: value for name, value in told.items() if name not in {"jobs", "seconds"}}

    @property
    def counts(self) -> dict[str, int]:
        """What of it is counted over time."""
        numbers = {"Scanned": self.scanned, "Eligible": self.eligible, "Deleted": self.deleted}
        return numbers | {"Failed": self.failed, "Pending": self.pending, "Truncated": int(self.truncated)}
