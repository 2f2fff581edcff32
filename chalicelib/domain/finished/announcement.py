"""The announcement of a finished Job, which is the detail of an EventBridge event.

1. The announcer lists the Jobs that `UNANNOUNCED_SELECTOR` selects and drops those that have not finished or finished
   more than a day ago.
2. It publishes one event for each Job.
3. It applies `announced_patch`, so that the selector excludes the Job from then on. The patch also records how the
   Job ended, for the time after its pods are gone.

If a run is interrupted between the last two steps, the next run publishes the event again: delivery is at least once,
and consumers deduplicate by `id`. Every Job that can be read has an announcement, whatever its fields contain.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec.structs import replace

from chalicelib.domain.finished.cleanup_report import MAX_NAMED, Failure
from chalicelib.domain.job.gpu_usage import usage
from chalicelib.domain.job.outcome_record import OutcomeRecord, record_annotation
from chalicelib.domain.job.start import started_annotation
from chalicelib.domain.job.view import Milliseconds, view
from chalicelib.domain.kubernetes.annotations import that_fit
from chalicelib.domain.kubernetes.jobs import if_unchanged
from chalicelib.domain.labels import ANNOUNCED_LABEL, MANAGED_BY_LABEL, MANAGED_BY_VALUE, OUTCOME_ANNOTATION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chalicelib.domain.kubernetes.jobs import Job, Manifest
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import ProjectName

SOURCE = "researcher-api"
DETAIL_TYPE = "job.finished"
UNANNOUNCED_SELECTOR = f"{MANAGED_BY_LABEL}={MANAGED_BY_VALUE},!{ANNOUNCED_LABEL}"
"""Selects the managed Jobs without an announcement. A label selector cannot exclude those that have not finished."""

MAX_AGE = timedelta(days=1)
"""How long after its end a Job is announced. A Job that cannot be labelled would otherwise be announced forever."""


class Announcement(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The detail of the event. `id` is the UID of the Job; consumers recognize a repeated event by it."""

    id: str
    project: str
    name: str
    status: Literal["Succeeded", "Failed"]
    reason: str | None
    exit_code: int | None
    failed_pod: str | None
    user: str
    gpu_seconds: float
    gpu_seconds_is_lower_bound: bool
    """Whether the Job may have used more, because not all of its pods are known."""
    finished_at: Milliseconds | None
    cluster: str


class AnnouncementReport(msgspec.Struct, rename="camel", kw_only=True):
    """The result of one run. A failure without a `name` concerns the whole Project."""

    announced: int = 0
    failed: int = 0
    truncated: bool = False
    failures: list[Failure] = []

    def count_failed(self, failure: Failure) -> None:
        """Count a Job that the next run has to announce, or a Project whose Jobs could not be listed."""
        self.failed += 1
        if len(self.failures) < MAX_NAMED:
            self.failures.append(failure)

    @property
    def log_fields(self) -> dict[str, object]:
        """The fields of the log line."""
        fields: dict[str, object] = msgspec.to_builtins(self)
        return fields

    @property
    def counts(self) -> dict[str, int]:
        """The values of the CloudWatch metrics."""
        return {"Announced": self.announced, "Failed": self.failed, "Truncated": int(self.truncated)}


def is_recent(job: Job, now: datetime) -> bool:
    """Return whether *job* finished within the last day; without a finish time, whether it was created within it."""
    time = job.finished_at or job.metadata.creation_timestamp
    return time is not None and abs(now - time) <= MAX_AGE


def build_announcement(project: ProjectName, job: Job, pods: Sequence[Pod], cluster: str) -> Announcement:
    """Return the announcement of the finished *job*; *pods* are those of its pods that still exist.

    A record on the Job is ignored: only the announcement writes one, and it has not done so yet.
    """
    job = _without_record(job)
    job_view = view(project, job, pods)
    used = usage(job, pods)
    return Announcement(
        id=job_view.id,
        project=project,
        name=job_view.name,
        status=job.outcome or "Failed",
        reason=job_view.reason,
        exit_code=job_view.exit_code,
        failed_pod=job_view.failed_pod,
        user=job_view.user,
        gpu_seconds=used.gpu_seconds,
        gpu_seconds_is_lower_bound=used.is_lower_bound,
        finished_at=job_view.finished_at,
        cluster=cluster,
    )


def announced_patch(job: Job, announcement: Announcement, pods: Sequence[Pod] = ()) -> Manifest:
    """Return the merge patch that labels *job* as announced and records its outcome, if the Job has not changed.

    It also stores when the Job first ran, if its *pods* tell.
    """
    record = OutcomeRecord(
        id=job.metadata.uid,
        exit_code=announcement.exit_code,
        failed_pod=announcement.failed_pod,
        gpu_seconds=announcement.gpu_seconds,
        gpu_seconds_is_lower_bound=announcement.gpu_seconds_is_lower_bound,
    )
    annotations = that_fit(job, started_annotation(job, pods) | record_annotation(record))
    metadata = {"labels": {ANNOUNCED_LABEL: "true"}, "annotations": annotations}
    return if_unchanged(job, {"metadata": {key: value for key, value in metadata.items() if value}})


def _without_record(job: Job) -> Job:
    annotations = {key: value for key, value in job.metadata.annotations.items() if key != OUTCOME_ANNOTATION}
    return replace(job, metadata=replace(job.metadata, annotations=annotations))
