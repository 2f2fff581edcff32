"""Kubernetes Events, as the API server returns them."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from chalicelib.domain.kubernetes.jobs import KubernetesObject, ListMeta, ObjectMeta, Time

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class InvolvedObject(KubernetesObject):
    """The object that an event is about."""

    kind: str = ""
    name: str = ""
    uid: str = ""


class Series(KubernetesObject):
    """The repetitions of an event in the format of events.k8s.io/v1."""

    count: int | None = None
    last_observed_time: Time | None = None


class EventSource(KubernetesObject):
    """The component that reported an event of the older generation."""

    component: str | None = None


class Event(KubernetesObject):
    """A v1 Event. Core v1 clients set two timestamps and a count, events.k8s.io/v1 clients `eventTime` and a series."""

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
    source: EventSource = msgspec.field(default_factory=EventSource)
    reporting_component: str | None = None

    @property
    def components(self) -> tuple[str, str]:
        """The names of the component that reported the event; one of them is usually empty."""
        return self.source.component or "", self.reporting_component or ""

    @property
    def first_seen(self) -> datetime:
        """When the event occurred first."""
        return self.first_timestamp or self.event_time or self.metadata.creation_timestamp or _LONG_AGO

    @property
    def last_seen(self) -> datetime:
        """When the event occurred last."""
        last_observed = self.series.last_observed_time if self.series else None
        return max(self.first_seen, self.last_timestamp or last_observed or self.first_seen)

    @property
    def times(self) -> int:
        """How often the event occurred."""
        return max(1, self.count or 0, (self.series.count or 0) if self.series else 0)


class EventList(KubernetesObject):
    """A page of events."""

    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[Event] = []
