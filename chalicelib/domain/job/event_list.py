"""The events of a Job and its pods, aggregated for the response."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from chalicelib.domain.job.status_reason import MAX_MESSAGE
from chalicelib.domain.job.view import Count, Milliseconds, milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from chalicelib.domain.kubernetes.events import Event


MAX_SHOWN = 500
"""Of 2 KiB each, so that an answer stays below Lambda's 6 MB."""
MAX_NAME = 253
"""Characters of what names a thing; the cluster takes any text there."""

CREATED = re.compile(r"Created pod: ([a-z0-9][-.a-z0-9]{0,252})")
"""The Job controller's words; the only trace of a pod that is gone."""
_POD_NAMES = re.compile(r'pods "[^"]*"')


class ObjectName(msgspec.Struct, frozen=True):
    """An object of the Project, such as the Job itself or one of its pods."""

    kind: str
    name: str


class EventView(msgspec.Struct, frozen=True, rename="camel"):
    """What happened to an object, how often, and when first and last: milliseconds since 1970."""

    first_seen: Milliseconds
    last_seen: Milliseconds
    count: Count
    type: str
    reason: str
    object: ObjectName
    message: str


EVENT_EXAMPLE = {
    "firstSeen": 1795510801000,
    "lastSeen": 1795510861000,
    "count": 3,
    "type": "Warning",
    "reason": "FailedScheduling",
    "object": {"kind": "Pod", "name": "train-1-x7k2p"},
    "message": "0/4 nodes are available: 4 Insufficient nvidia.com/gpu.",
}


def aggregate_events(events: Iterable[Event]) -> list[EventView]:
    """The newest of *events* in the order of their last time; those that say the same of one object are one."""
    together = groupby(sorted(events, key=_group_key), key=_group_key)
    views = [_aggregate(list(same)) for _, same in together]
    return sorted(views, key=lambda view: (view.last_seen, view.first_seen))[-MAX_SHOWN:]


def created_pods(events: Sequence[Event]) -> list[str]:
    """The names of the pods that the Job controller says it made, newest first."""
    newest_first = sorted(events, key=lambda event: event.last_seen, reverse=True)
    found = (CREATED.fullmatch(event.message or "") for event in newest_first if event.reason == "SuccessfulCreate")
    return list(dict.fromkeys(match[1] for match in found if match))


def _group_key(event: Event) -> tuple[str, ...]:
    """What two events share that say the same: a Job's controller names another pod at each try."""
    about = event.involved_object
    message = _POD_NAMES.sub("pods", event.message or "")
    return about.kind, about.name, about.uid, event.type or "", event.reason or "", message


def _aggregate(same: Sequence[Event]) -> EventView:
    last = max(same, key=lambda event: event.last_seen)
    return EventView(
        first_seen=_since_1970(min(event.first_seen for event in same)),
        last_seen=_since_1970(last.last_seen),
        count=sum(event.times for event in same),
        type=(last.type or "")[:MAX_NAME],
        reason=(last.reason or "")[:MAX_NAME],
        object=ObjectName(last.involved_object.kind[:MAX_NAME], last.involved_object.name[:MAX_NAME]),
        message=(last.message or "")[:MAX_MESSAGE],
    )


def _since_1970(moment: datetime) -> int:
    return milliseconds(moment) or 0
