"""Decide which Jobs the cleanup deletes: only finished Jobs of this API whose retention has expired.

The retention of a Job is the value of its own annotation, otherwise of its Project's, otherwise of the deployment. A
Job is kept if its retention cannot be read.
"""

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
"""`expired` if a Job may be deleted, otherwise the reason why not. The list is closed."""


class RetentionPolicy(msgspec.Struct, frozen=True):
    """The settings of a deployment; times are in seconds."""

    retention: int
    """How long a finished Job is kept if neither the Job nor its Project sets a retention."""
    failed_retention: int
    """The same for a failed Job, which users may want to investigate."""
    max_deletions: int
    """Maximum number of Jobs that one run deletes."""
    max_pending: int
    """How long a Job may be pending before it is reported; 0 disables the report."""


def cleanup_verdict(job: Job, project: Namespace, policy: RetentionPolicy, now: datetime) -> Verdict:
    """Return `expired` if *job* may be deleted, otherwise the first reason why not."""
    meta, kept_seconds = job.metadata, retention(job, project, policy)
    reasons: tuple[tuple[bool, Verdict], ...] = (
        (meta.deletion_timestamp is not None, "beingDeleted"),
        (meta.labels.get(MANAGED_BY_LABEL) != MANAGED_BY_VALUE, "foreign"),
        (is_kept(job), "kept"),
        (job.finished is None, "notFinished"),
        (job.finished_at is None, "undated"),
        (kept_seconds is None, "unreadableRetention"),
        (_age(job.finished_at, now) < timedelta(seconds=kept_seconds or 0), "young"),
    )
    return next((verdict for applies, verdict in reasons if applies), "expired")


def retention(job: Job, project: Namespace, policy: RetentionPolicy) -> int | None:
    """Return the seconds for which *job* is kept after it finishes, or None if the annotation cannot be parsed."""
    for meta in (job.metadata, project.metadata):
        if RETENTION_ANNOTATION in meta.annotations:
            return parse_retention(meta.annotations[RETENTION_ANNOTATION])
    return policy.failed_retention if job.outcome == "Failed" else policy.retention


def parse_retention(text: str) -> int | None:
    """Return *text* in seconds, such as 259200 for `3d`, or None if it is not a duration of at most 30 days."""
    parsed = seconds(text) if re.fullmatch(DURATION_PATTERN, text) else None
    return parsed if parsed is None or parsed <= MAX_SECONDS else None


def is_stuck_pending(job: Job, policy: RetentionPolicy, now: datetime) -> bool:
    """Return whether *job* may start, but has not run any pod for longer than *policy* allows."""
    status = job.status
    may_start = not (job.finished or job.spec.suspend or job.metadata.deletion_timestamp)
    never_ran = not (status.ready or status.succeeded or status.failed)
    return bool(policy.max_pending) and may_start and never_ran and pending_seconds(job, now) > policy.max_pending


def pending_seconds(job: Job, now: datetime) -> int:
    """Return the seconds since *job* could have started."""
    return int(_age(job.status.start_time or job.metadata.creation_timestamp, now).total_seconds())


def _age(since: datetime | None, now: datetime) -> timedelta:
    return now - since if since else timedelta(0)
