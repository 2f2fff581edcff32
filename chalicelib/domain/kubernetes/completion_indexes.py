"""Completion indexes of an Indexed Job, in the compressed format of Kubernetes: 1,3-5,7."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chalicelib.domain.kubernetes.jobs import INDEXED
from chalicelib.domain.labels import COMPLETION_INDEX_ANNOTATION

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import Pod

MAX_INDEXES = 100_000
"""Maximum number of completions in a submission."""
MAX_INDEX = 2**31 - 1
"""The largest index that Kubernetes accepts."""
MAX_TEXT = 1024

_INTERVAL = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?")


def indexes(text: str) -> set[int]:
    """Parse *text* into a set of indexes; invalid intervals are ignored."""
    parsed: set[int] = set()
    intervals = filter(None, map(_INTERVAL.fullmatch, text.split(",")))
    start = 0
    for first, last in sorted((int(match[1]), int(match[2] or match[1])) for match in intervals):
        # Each index is visited once, however many intervals contain it.
        parsed.update(range(max(first, start), min(last, MAX_INDEXES) + 1))
        start = max(start, last + 1)
    return parsed


def index_of(pod: Pod) -> int | None:
    """Return the completion index of *pod*, or None if the Job is not Indexed."""
    text = pod.metadata.annotations.get(COMPLETION_INDEX_ANNOTATION, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_INDEX)) else None


def unfinished_indexes(job: Job) -> list[int]:
    """Return the indexes of *job* that have not completed, in order; empty if the Job is not Indexed."""
    completions = job.spec.completions or 0
    if job.spec.completion_mode != INDEXED or completions > MAX_INDEXES:
        return []
    completed = indexes(job.status.completed_indexes or "")
    return [index for index in range(completions) if index not in completed]


def truncated_indexes(text: str | None, job: Job) -> str | None:
    """Return the index list *text* of a Job's status for its view: None if not Indexed, truncated to MAX_TEXT."""
    if job.spec.completion_mode != INDEXED:
        return None
    text = text or ""
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT].rpartition(",")[0] + ",..."
