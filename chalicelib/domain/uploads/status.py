"""Which status object of an upload may overwrite which: the precedence of S3 events and of final statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.domain.errors import ResearcherError
    from chalicelib.domain.uploads.s3_event import Upload

SEQUENCER, FINAL = "sequencer", "settled"
"""Metadata of a status: of which event it tells, and whether that is its last word."""


def is_transient(error: ResearcherError) -> bool:
    """Whether the same upload may do better later, by itself."""
    return error.status >= 500 or error.retry_after is not None  # noqa: PLR2004 - HTTP's bound of our own failures


def may_overwrite_status(upload: Upload, told: Mapping[str, str]) -> bool:
    """Whether a status of *upload* takes the place of the one with the metadata *told*.

    Never that of a newer event; and of its own, the last word stays, whatever a late delivery may meet.
    """
    ours, theirs = _comparable(upload, told)
    return ours > theirs or (ours == theirs and FINAL not in told)


def is_final(upload: Upload, told: Mapping[str, str]) -> bool:
    """Whether the status with the metadata *told* is the last word about this very *upload*."""
    ours, theirs = _comparable(upload, told)
    return ours == theirs and FINAL in told


def _comparable(upload: Upload, told: Mapping[str, str]) -> tuple[str, str]:
    """Both sequencers, which grow like fractions: the shorter is filled with zeros on the right."""
    ours, theirs = upload.sequencer.upper(), told.get(SEQUENCER, "").upper()
    length = max(len(ours), len(theirs))
    return ours.ljust(length, "0"), theirs.ljust(length, "0")
