"""A finding: one cause with its evidence, of which a diagnosis reports the most urgent one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from chalicelib.domain.diagnosis.causes import EXPLANATIONS

if TYPE_CHECKING:
    from datetime import datetime

    from chalicelib.domain.diagnosis.causes import Cause
    from chalicelib.domain.job.event_list import ObjectName


class Finding(msgspec.Struct, frozen=True):
    """A cause with its evidence: an object, the field that shows the cause, its message, and since when it applies."""

    cause: Cause
    object: ObjectName
    field_path: str
    message: str
    since: datetime | None
    remedy: str = ""
    """Empty: that of the cause."""


def remedy_of(finding: Finding, *, has_ended: bool) -> str:
    """Return what to do about *finding*; after the end of a Job there is nothing to wait for."""
    if finding.remedy:
        return finding.remedy
    explanation = EXPLANATIONS[finding.cause]
    return (has_ended and explanation.remedy_after_end) or explanation.remedy
