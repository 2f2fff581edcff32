"""What a kubelet does with a pod: the events that it records, and the status that it reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

Document = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """An event about a pod."""

    type: str
    reason: str
    message: str


@dataclass(frozen=True)
class Sync:
    """What to do with a pod now: report *status* and *events*, delete or *remove* it; and when to look again."""

    status: Document | None = None
    events: Sequence[Event] = ()
    delete: bool = False
    """Delete the pod gracefully, as the taint eviction controller does."""
    remove: bool = False
    """Delete the pod without a grace period: it has ended."""
    due: datetime | None = None
