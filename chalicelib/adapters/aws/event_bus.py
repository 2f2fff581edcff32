"""The account's default EventBridge event bus, on which finished Jobs are announced."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from chalicelib.adapters.aws.botocore_client import NO_RESPONSE, call_failure_reason, client
from chalicelib.domain.errors import EventBusUnavailable
from chalicelib.domain.failure_reasons import note_reason
from chalicelib.domain.finished.announcement import DETAIL_TYPE, SOURCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.finished.announcement import Announcement
    from chalicelib.settings import Settings

_NO_RESPONSE = (*NO_RESPONSE, ClientError, ValueError)


class EventBridgeBus:
    """Implements EventBus with PutEvents."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - botocore makes its clients at run time
        self._client = client

    def publish(self, announcements: Sequence[Announcement]) -> set[str]:
        """Publish *announcements*; return the ids of those that EventBridge accepted, EventBusUnavailable if none."""
        try:
            response = self._client.put_events(Entries=[_entry(announcement) for announcement in announcements])
        except _NO_RESPONSE as error:
            unavailable = EventBusUnavailable(
                "EventBridge did not accept the events; the next run publishes them again. If this persists, check the "
                "function's permission events:PutEvents and its network."
            )
            raise note_reason(unavailable, call_failure_reason(error), "eventbridge") from error
        # One result for each entry, in the same order; a failed entry has an ErrorCode instead of an EventId.
        results = zip(announcements, response.get("Entries", ()), strict=False)
        return {announcement.id for announcement, result in results if result.get("EventId")}


def _entry(announcement: Announcement) -> dict[str, str]:
    return {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": msgspec.json.encode(announcement).decode()}


@cache
def connect(settings: Settings) -> EventBridgeBus:
    """Return this deployment's event bus, one for each process."""
    return EventBridgeBus(client("events", settings.aws_region))
