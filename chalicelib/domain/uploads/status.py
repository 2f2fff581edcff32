"""The precedence of status objects: which status of an upload may overwrite which.

S3 delivers events at least once and in any order. The metadata of a status object contains the sequencer of its event
and whether the status is final:

- A status never overwrites that of a newer event for the same key.
- Another delivery of the same event never overwrites a final status. A transient error is not final, because the
  retry of the event may succeed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.domain.errors import ResearcherError
    from chalicelib.domain.uploads.s3_event import Upload

SEQUENCER, FINAL = "sequencer", "final"
"""The keys in the metadata of a status object: the sequencer of its event, and whether it is final."""


def is_transient(error: ResearcherError) -> bool:
    """Return whether a retry of the same upload may succeed."""
    return error.status >= 500 or error.retry_after is not None  # noqa: PLR2004 - server errors of HTTP


def may_overwrite_status(upload: Upload, metadata: Mapping[str, str]) -> bool:
    """Return whether a status of *upload* may overwrite the one with *metadata*."""
    ours, theirs = _comparable(upload, metadata)
    return ours > theirs or (ours == theirs and FINAL not in metadata)


def is_final(upload: Upload, metadata: Mapping[str, str]) -> bool:
    """Return whether *metadata* is that of a final status of the same event as *upload*."""
    ours, theirs = _comparable(upload, metadata)
    return ours == theirs and FINAL in metadata


def _comparable(upload: Upload, metadata: Mapping[str, str]) -> tuple[str, str]:
    """Return both sequencers for comparison: S3 defines that the shorter one is padded with zeros on the right."""
    ours, theirs = upload.sequencer.upper(), metadata.get(SEQUENCER, "").upper()
    length = max(len(ours), len(theirs))
    return ours.ljust(length, "0"), theirs.ljust(length, "0")
