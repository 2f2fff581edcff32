"""What the cleanup may delete: a finished Job of ours that is past its retention, and nothing else."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from chalicelib.domain.job.lifecycle import is_kept
from chalicelib.domain.kubernetes.quantities import DURATION_PATTERN, MAX_SECONDS, seconds
from chalicelib.domain.labels import MANAGED_BY_LABEL, MANAGED_BY_VALUE, RETENTION_ANNOTATION

if TYPE_CHECKING:
    from datetime import datetime

    from chalicelib.domain.kubernetes.jobs import Job, Namespace

Verdict = Literal[
    "expired",
    "beingDeleted",
    "foreign",
    "kept",
    "notFinished",
    "undated",
    "unreadableRetention",
    "young",
]
"""Whether a Job may go: `expired`, or why it stays. The list is closed."""


class RetentionPolicy(msgspec.Struct, frozen=True):
    """What a deployment says of its Jobs; times are seconds."""

    retention: int
    """How long a finished Job stays where neither it nor its Project asks otherwise."""
    failed_retention: int
    """The same of one that failed, which somebody may want to look into."""
    max_deletions: int
    """The most Jobs that one run deletes."""
    max_pending: int
    """After which a Job that has not started is reported; 0 for never."""


def cleanup_verdict(job: Job, project: Namespace, rules: RetentionPolicy, now: datetime) -> Verdict:
    """Whether *job* may be deleted, or the first reason why not."""
    meta, stays = job.metadata, retention(job, project, rules)
    reasons: tuple[tuple[bool, Verdict], ...] = (
        (meta.deletion_timestamp is not None, "beingDeleted"),
        (meta.labels.get(MANAGED_BY_LABEL) != MANAGED_BY_VALUE, "foreign"),
        (is_kept(job), "kept"),
        (job.finished is None, "notFinished"),
        (job.finished_at is None, "undated"),
        (stays is None, "unreadableRetention"),
        (_age(job.finished_at, now) < timedelta(seconds=stays or 0), "young"),
    )
    return next((why for holds, why in reasons if holds), "expired")


def retention(job: Job, project: Namespace, rules: RetentionPolicy) -> int | None:
    """How many seconds *job* stays once it has finished; None where it, or its Project, says what cannot be read."""
    for meta in (job.metadata, project.metadata):
        if RETENTION_ANNOTATION in meta.annotations:
            return parse_retention(meta.annotations[RETENTION_ANNOTATION])
    return rules.failed_retention if job.outcome == "Failed" else rules.retention


def parse_retention(text: str) -> int | None:
    """How many seconds *text* means, such as 259200 for `3d`; None when it is no duration of at most 30 days."""
    stays = seconds(text) if re.fullmatch(DURATION_PATTERN, text) else None
    return stays if stays is None or stays <= MAX_SECONDS else None


def is_stuck_pending(job: Job, rules: RetentionPolicy, now: datetime) -> bool:
    """Whether *job* was let start, but no pod of it has ever run, for longer than *rules* find usual."""
    status = job.status
    may_start = not (job.finished or job.spec.suspend or job.metadata.deletion_timestamp)
    untouched = not (status.ready or status.succeeded or status.failed)
    return bool(rules.max_pending) and may_start and untouched and pending_seconds(job, now) > rules.max_pending


def pending_seconds(job: Job, now: datetime) -> int:
    """Since when *job* could have started."""
    return int(_age(job.status.start_time or job.metadata.creation_timestamp, now).total_seconds())


def _age(since: datetime | None, now: datetime) -> timedelta:
    return now - since if since else timedelta(0)
