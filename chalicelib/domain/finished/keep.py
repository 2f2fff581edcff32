"""Keep a Job: the merge patches that exempt it from cleanup and from its own TTL, and that undo this.

The label exempts the Job from this API's cleanup. Its `ttlSecondsAfterFinished` is removed as well, because the cluster
would delete the Job after that time whatever its labels are; an annotation holds the value until it is restored.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chalicelib.domain.job.lifecycle import is_kept
from chalicelib.domain.kubernetes.jobs import TTL_MARGIN_SECONDS
from chalicelib.domain.labels import KEEP_LABEL, KEPT_TTL_ANNOTATION

if TYPE_CHECKING:
    from datetime import datetime

    from chalicelib.domain.kubernetes.jobs import Job, Manifest

_TTL = re.compile(r"[0-9]{1,9}")


def is_kept_for_good(job: Job) -> bool:
    """Whether neither the cleanup nor the cluster's TTL controller will delete *job*."""
    return is_kept(job) and job.spec.ttl_seconds_after_finished is None


def keep_patch(job: Job) -> Manifest:
    """Return the merge patch that keeps *job*."""
    labels = {} if is_kept(job) else {KEEP_LABEL: "true"}
    ttl = job.spec.ttl_seconds_after_finished
    if ttl is None:
        return {"metadata": {"labels": labels}}
    return {
        "metadata": {"labels": labels, "annotations": {KEPT_TTL_ANNOTATION: str(ttl)}},
        "spec": {"ttlSecondsAfterFinished": None},
    }


def unkeep_patch(job: Job, now: datetime) -> Manifest:
    """Return the merge patch that makes *job* subject to cleanup again and restores its TTL.

    A TTL that is over already, or within a day, is extended: the cleanup, which stores a Receipt, must come first.
    """
    metadata: Manifest = {"labels": {KEEP_LABEL: None}, "annotations": {KEPT_TTL_ANNOTATION: None}}
    saved = job.metadata.annotations.get(KEPT_TTL_ANNOTATION, "")
    if job.spec.ttl_seconds_after_finished is not None or not _TTL.fullmatch(saved):
        return {"metadata": metadata}
    age = int((now - job.finished_at).total_seconds()) if job.finished_at else -TTL_MARGIN_SECONDS
    return {"metadata": metadata, "spec": {"ttlSecondsAfterFinished": max(int(saved), age + TTL_MARGIN_SECONDS)}}
