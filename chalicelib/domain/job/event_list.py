"""The events of a Job and its pods, aggregated for the response."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.domain.job.status_reason import MAX_MESSAGE
from chalicelib.domain.job.view import Count, Milliseconds, milliseconds
from chalicelib.domain.response_size import fitting_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from chalicelib.domain.kubernetes.events import Event


MAX_EVENTS = 500
"""Maximum events in a response."""
MAX_NAME = 253
"""Characters of names, types and reasons, which the API server does not limit in events."""

CREATED = re.compile(r"Created pod: ([a-z0-9][-.a-z0-9]{0,252})")
"""The message of the Job controller, which is the only record of a deleted pod."""
_POD_NAMES = re.compile(r'pods "[^"]*"')


class ObjectName(msgspec.Struct, frozen=True):
    """An object of the Project, such as the Job itself or one of its pods."""

    kind: Annotated[str, msgspec.Meta(description="The kind of the object.")]
    name: Annotated[str, msgspec.Meta(description="The name of the object.")]


class EventView(msgspec.Struct, frozen=True, rename="camel"):
    """An event about an object, how often it occurred, and when first and last, in milliseconds since 1970."""

    first_seen: Annotated[Milliseconds, msgspec.Meta(description="When it occurred first.")]
    last_seen: Annotated[Milliseconds, msgspec.Meta(description="When it occurred last.")]
    count: Annotated[Count, msgspec.Meta(description="How often it occurred.")]
    type: Annotated[str, msgspec.Meta(description="`Normal` or `Warning`.")]
    reason: Annotated[str, msgspec.Meta(description="The reason, in one word.")]
    object: Annotated[ObjectName, msgspec.Meta(description="The object that it is about.")]
    message: Annotated[str, msgspec.Meta(description="The message of the component that reported it.")]


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
    """Merge events with the same content about the same object; return the newest, the latest one last.

    At most MAX_EVENTS, or fewer if they would exceed Lambda's limit: a control character is 7 bytes of a response.
    """
    groups = groupby(sorted(events, key=_group_key), key=_group_key)
    views = [_aggregate(list(group)) for _, group in groups]
    newest = sorted(views, key=lambda view: (view.last_seen, view.first_seen))[-MAX_EVENTS:]
    return newest[len(newest) - fitting_count(newest[::-1]) :]


def created_pods(events: Sequence[Event]) -> list[str]:
    """Return the names of the pods that the Job controller reports to have created, newest first."""
    newest_first = sorted(events, key=lambda event: event.last_seen, reverse=True)
    matches = (CREATED.fullmatch(event.message or "") for event in newest_first if event.reason == "SuccessfulCreate")
    return list(dict.fromkeys(match[1] for match in matches if match))


def _group_key(event: Event) -> tuple[str, ...]:
    """Return what identical events share; pod names in messages are ignored, since each attempt names another pod."""
    target = event.involved_object
    message = _POD_NAMES.sub("pods", event.message or "")
    return target.kind, target.name, target.uid, event.type or "", event.reason or "", message


def _aggregate(group: Sequence[Event]) -> EventView:
    last = max(group, key=lambda event: event.last_seen)
    return EventView(
        first_seen=_since_1970(min(event.first_seen for event in group)),
        last_seen=_since_1970(last.last_seen),
        count=sum(event.times for event in group),
        type=(last.type or "")[:MAX_NAME],
        reason=(last.reason or "")[:MAX_NAME],
        object=ObjectName(last.involved_object.kind[:MAX_NAME], last.involved_object.name[:MAX_NAME]),
        message=(last.message or "")[:MAX_MESSAGE],
    )


def _since_1970(time: datetime) -> int:
    return milliseconds(time) or 0
