"""The API server's limit on annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.domain.kubernetes.jobs import Job

MAX_ANNOTATIONS = 2**18
"""The API server's limit of all annotations of an object together, keys and values."""


def that_fit(job: Job, annotations: Mapping[str, str]) -> dict[str, str]:
    """Return those of *annotations*, in order, that *job* can have besides its own."""
    found: dict[str, str] = {}
    for key, value in annotations.items():
        if _size({**job.metadata.annotations, **found, key: value}) <= MAX_ANNOTATIONS:
            found[key] = value
    return found


def _size(annotations: Mapping[str, str]) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
