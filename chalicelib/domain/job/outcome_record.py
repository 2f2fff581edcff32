"""The record of how a Job ended, in an annotation of the Job.

The announcement writes it while the pods still exist, in the patch that labels the Job as announced, so that lists and
Receipts know the exit code without the pods. Users who may change Jobs can change it too: it gives no right, and what
the cluster itself reports takes precedence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.domain.labels import OUTCOME_ANNOTATION

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Job

ExitCode = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
"""Kubernetes' type of an exit code; on Linux 0 to 255."""
MAX_RECORD = 1024
_POD_NAME = r"^[a-z0-9][-.a-z0-9]{0,252}\Z"


class OutcomeRecord(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """How a Job ended, as far as it was known when it was announced; *id* is the UID of the Job."""

    id: str
    exit_code: ExitCode | None
    failed_pod: Annotated[str, msgspec.Meta(pattern=_POD_NAME)] | None
    gpu_seconds: Annotated[float, msgspec.Meta(ge=0)]
    gpu_seconds_is_lower_bound: bool


def recorded_outcome(job: Job) -> OutcomeRecord | None:
    """Return the record of the finished *job*; None without a valid one, or if it was copied from another Job."""
    text = job.metadata.annotations.get(OUTCOME_ANNOTATION, "")
    if not job.finished or not text or len(text) > MAX_RECORD:
        return None
    try:
        record = msgspec.json.decode(text, type=OutcomeRecord)
    except (ValueError, RecursionError):
        return None
    return record if record.id == job.metadata.uid else None


def record_annotation(record: OutcomeRecord) -> dict[str, str]:
    """Return the annotation of *record*."""
    return {OUTCOME_ANNOTATION: msgspec.json.encode(record).decode()}
