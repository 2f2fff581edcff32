"""The announcement that a Job has finished, as an event tells it. Pure, and total: however odd the Job, it has one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from chalicelib.domain.finished.cleanup_report import MAX_NAMED, Failure
from chalicelib.domain.job.gpu_usage import usage
from chalicelib.domain.job.view import Milliseconds, view
from chalicelib.domain.kubernetes.jobs import if_unchanged
from chalicelib.domain.labels import ANNOUNCED_LABEL, MANAGED_BY_LABEL, MANAGED_BY_VALUE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chalicelib.domain.kubernetes.jobs import Job, Manifest
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import ProjectName

SOURCE = "researcher-api"
DETAIL_TYPE = "job.finished"
UNANNOUNCED_SELECTOR = f"{MANAGED_BY_LABEL}={MANAGED_BY_VALUE},!{ANNOUNCED_LABEL}"
"""Selects our Jobs that have not finished, and those that have since the last run; no selector can tell them apart."""


RECENT_SECONDS = timedelta(days=1)
"""How long after its end a Job is announced. One that cannot be marked, as it is full, would be announced for ever."""


class Announcement(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The detail of the event. `id` is the Job's: who gets an event twice knows it by that."""

    id: str
    project: str
    name: str
    status: Literal["Succeeded", "Failed"]
    reason: str | None
    user: str
    gpu_seconds: float
    finished_at: Milliseconds | None
    cluster: str


class AnnouncementReport(msgspec.Struct, rename="camel", kw_only=True):
    """What one run did; a failure without a name is about the whole Project."""

    announced: int = 0
    failed: int = 0
    truncated: bool = False
    failures: list[Failure] = []

    def count_failed(self, failure: Failure) -> None:
        """Counts a Job that the next run has to announce, or a Project that could not be looked into."""
        self.failed += 1
        if len(self.failures) < MAX_NAMED:
            self.failures.append(failure)

    @property
    def log_fields(self) -> dict[str, object]:
        """What of it goes into the log line."""
        told: dict[str, object] = msgspec.to_builtins(self)
        return told

    @property
    def counts(self) -> dict[str, int]:
        """What of it is counted over time."""
        return {"Announced": self.announced, "Failed": self.failed, "Truncated": int(self.truncated)}


def is_recent(job: Job, now: datetime) -> bool:
    """Whether *job* has finished within the last day; where its status has no readable time, whether it is as young."""
    time = job.finished_at or job.metadata.creation_timestamp
    return time is not None and abs(now - time) <= RECENT_SECONDS


def build_announcement(project: ProjectName, job: Job, pods: Sequence[Pod], cluster: str) -> Announcement:
    """What is told of *job*, which has finished; *pods* are those of its own that are still there."""
    shown = view(project, job, pods)
    return Announcement(
        id=shown.id,
        project=project,
        name=shown.name,
        status=job.outcome or "Failed",
        reason=shown.reason,
        user=shown.user,
        gpu_seconds=usage(job, pods).gpu_seconds,
        finished_at=shown.finished_at,
        cluster=cluster,
    )


def announced_patch(job: Job) -> Manifest:
    """The merge patch by which *job*, as it was seen, is not announced again."""
    return if_unchanged(job, {"metadata": {"labels": {ANNOUNCED_LABEL: "true"}}})
