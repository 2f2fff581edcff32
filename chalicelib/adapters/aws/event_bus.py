"""EventBridge: the account's default event bus, where finished Jobs are announced."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from chalicelib.adapters.aws.botocore_client import NO_ANSWER, client
from chalicelib.domain.errors import EventBusUnavailable
from chalicelib.domain.finished.announcement import DETAIL_TYPE, SOURCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.finished.announcement import Announcement
    from chalicelib.settings import Settings

_NO_ANSWER = (*NO_ANSWER, ClientError, ValueError)


class EventBridgeBus:
    """The port of the announcements."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - botocore makes its clients at run time
        self._client = client

    def publish(self, announcements: Sequence[Announcement]) -> set[str]:
        """The ids of those that were accepted; EventBusUnavailable when none could be sent."""
        try:
            answer = self._client.put_events(Entries=[_entry(one) for one in announcements])
        except _NO_ANSWER as error:
            raise EventBusUnavailable(
                "EventBridge does not take this API's events. The next run tries again; it may lack a right or a way."
            ) from error
        # One result for each entry, in their order; a refused one has an ErrorCode in place of an EventId.
        results = zip(announcements, answer.get("Entries", ()), strict=False)
        return {one.id for one, result in results if result.get("EventId")}


def _entry(announcement: Announcement) -> dict[str, str]:
    return {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": msgspec.json.encode(announcement).decode()}


@cache
def connect(settings: Settings) -> EventBridgeBus:
    """This deployment's event bus, one for each process."""
    return EventBridgeBus(client("events", settings.aws_region))
