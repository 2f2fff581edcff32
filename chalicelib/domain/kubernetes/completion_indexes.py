"""Indexes of an Indexed Job, in the compressed text in which Kubernetes writes them: 1,3-5,7."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chalicelib.domain.kubernetes.jobs import INDEXED

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Job

MOST = 100_000
"""Indexes that a submission may ask for."""
MAX_TEXT = 1024

_INTERVAL = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?")


def indexes(text: str) -> set[int]:
    """The indexes that *text* means; what is no interval in it means none."""
    found: set[int] = set()
    intervals = filter(None, map(_INTERVAL.fullmatch, text.split(",")))
    next_one = 0
    for first, last in sorted((int(one[1]), int(one[2] or one[1])) for one in intervals):
        found.update(range(max(first, next_one), min(last, MOST) + 1))  # each once, however many intervals have it
        next_one = max(next_one, last + 1)
    return found


def unfinished_indexes(job: Job) -> list[int]:
    """The indexes of *job* that did not complete, in order; none where its pods are not numbered."""
    completions = job.spec.completions or 0
    if job.spec.completion_mode != INDEXED or completions > MOST:
        return []
    done = indexes(job.status.completed_indexes or "")
    return [index for index in range(completions) if index not in done]


def shown_indexes(text: str | None, job: Job) -> str | None:
    """*text* of the status of *job* as a view shows it; a very long one ends with an ellipsis."""
    if job.spec.completion_mode != INDEXED:
        return None
    text = text or ""
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT].rpartition(",")[0] + ",..."
