"""What the cluster recorded about a Job and its pods: Kubernetes' events, of two generations, merged into one list."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from chalicelib.domain.job.status_reason import MAX_MESSAGE
from chalicelib.domain.job.view import Count, Milliseconds, milliseconds
from chalicelib.domain.kubernetes.jobs import KubernetesObject, ListMeta, ObjectMeta, Time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_SHOWN = 500
"""Of 2 KiB each, so that an answer stays below Lambda's 6 MB."""
MAX_NAME = 253
"""Characters of what names a thing; the cluster takes any text there."""

CREATED = re.compile(r"Created pod: ([a-z0-9][-.a-z0-9]{0,252})")
"""The Job controller's words; the only trace of a pod that is gone."""
_POD_NAMES = re.compile(r'pods "[^"]*"')
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class InvolvedObject(KubernetesObject):
    """What an event is about."""

    kind: str = ""
    name: str = ""
    uid: str = ""


class Series(KubernetesObject):
    """How often an event of the newer generation came again, and when last."""

    count: int | None = None
    last_observed_time: Time | None = None


class Event(KubernetesObject):
    """A v1 Event. The older generation has a first and a last time and a count, the newer one a time and a series."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    involved_object: InvolvedObject = msgspec.field(default_factory=InvolvedObject)
    type: str | None = None
    reason: str | None = None
    message: str | None = None
    count: int | None = None
    first_timestamp: Time | None = None
    last_timestamp: Time | None = None
    event_time: Time | None = None
    series: Series | None = None

    @property
    def first_seen(self) -> datetime:
        """When it came first."""
        return self.first_timestamp or self.event_time or self.metadata.creation_timestamp or _LONG_AGO

    @property
    def last_seen(self) -> datetime:
        """When it came last."""
        again = self.series.last_observed_time if self.series else None
        return max(self.first_seen, self.last_timestamp or again or self.first_seen)

    @property
    def times(self) -> int:
        """How often it came."""
        return max(1, self.count or 0, (self.series.count or 0) if self.series else 0)


class EventList(KubernetesObject):
    """A page of events."""

    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[Event] = []


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


def merged(events: Iterable[Event]) -> list[EventView]:
    """The newest of *events* in the order of their last time; those that say the same of one object are one."""
    together = groupby(sorted(events, key=_same), key=_same)
    views = [_merged(list(same)) for _, same in together]
    return sorted(views, key=lambda view: (view.last_seen, view.first_seen))[-MAX_SHOWN:]


def created_pods(events: Sequence[Event]) -> list[str]:
    """The names of the pods that the Job controller says it made, newest first."""
    newest_first = sorted(events, key=lambda event: event.last_seen, reverse=True)
    found = (CREATED.fullmatch(event.message or "") for event in newest_first if event.reason == "SuccessfulCreate")
    return list(dict.fromkeys(match[1] for match in found if match))


def _same(event: Event) -> tuple[str, ...]:
    """What two events share that say the same: a Job's controller names another pod at each try."""
    about = event.involved_object
    message = _POD_NAMES.sub("pods", event.message or "")
    return about.kind, about.name, about.uid, event.type or "", event.reason or "", message


def _merged(same: Sequence[Event]) -> EventView:
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
