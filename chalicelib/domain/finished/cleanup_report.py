"""The report of a cleanup: how many Jobs it scanned and deleted, and why it skipped the others."""

from __future__ import annotations

from typing import Literal

import msgspec

from chalicelib.domain.errors import InternalError, ResearcherError
from chalicelib.domain.finished.retention import Verdict

SkipReason = Verdict | Literal["changed", "dryRun", "brake", "outOfTime"]
"""Why a Job was not deleted: its verdict or, for an expired Job, an event during the run."""

MAX_NAMED = 100
"""Failures and pending Jobs that are listed by name; all are counted."""


class NamedJob(msgspec.Struct, frozen=True):
    """A Job that was deleted or, in a dry run, would be."""

    project: str
    name: str


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """A failure with its error code; without a name it concerns the whole Project."""

    project: str
    name: str | None
    code: str
    error: str | None = None
    """The class of an unexpected exception. Its message is not logged, since it may contain a secret."""
    why: str | None = None
    """The reason, for operators, as in the log line of a request."""

    @classmethod
    def of(cls, error: Exception, project: str, name: str | None = None) -> Failure:
        """Return the Failure for *error*."""
        if isinstance(error, ResearcherError):
            return cls(project, name, error.code, why=error.why)
        return cls(project, name, InternalError.code, type(error).__name__)


class PendingJob(msgspec.Struct, frozen=True):
    """A Job that has been pending for too long, and the reason for it if it is known."""

    project: str
    name: str
    seconds: int
    reason: str | None


class CleanupReport(msgspec.Struct, rename="camel", kw_only=True):
    """The result of one run. `scanned` is the sum of `deleted`, `failed` and all `skipped`."""

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
        """Count Jobs that were not deleted for that *reason*."""
        if count:
            self.skipped[reason] = self.skipped.get(reason, 0) + count

    def count_failed(self, failure: Failure) -> None:
        """Count a Job that could not be deleted, or note a Project that could not be cleaned up."""
        self.failed += failure.name is not None
        self.note_failure(failure)

    def note_failure(self, failure: Failure) -> None:
        """Add *failure* to the list, up to MAX_NAMED failures and each only once."""
        if len(self.failures) < MAX_NAMED and failure not in self.failures:
            self.failures.append(failure)

    @property
    def log_fields(self) -> dict[str, object]:
        """The fields of the log line: all except the deleted Jobs, which have Receipts, and the duration."""
        fields: dict[str, object] = msgspec.to_builtins(self)
        return {name: value for name, value in fields.items() if name not in {"jobs", "seconds"}}

    @property
    def counts(self) -> dict[str, int]:
        """The values of the CloudWatch metrics."""
        metrics = {"Scanned": self.scanned, "Eligible": self.eligible, "Deleted": self.deleted}
        return metrics | {"Failed": self.failed, "Pending": self.pending, "Truncated": int(self.truncated)}
