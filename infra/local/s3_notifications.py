"""S3 event notifications; moto's own lack the object's version, a sequencer and the uploader.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

import itertools
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from moto.s3 import notifications

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Event = dict[str, Any]

UPLOADER = "AWS:LOCAL"
_UNVERSIONED = "null"

_sequence = itertools.count(time.time_ns())


@contextmanager
def object_events(deliver: Callable[[str, Event], None]) -> Iterator[None]:
    """Make moto's S3 call *deliver* with the function that a bucket notifies, while the context is active."""

    def send(account_id: str, event_name: notifications.S3NotificationEvent, bucket: Any, key: Any) -> None:  # noqa: ANN401 - moto's
        del account_id
        configuration = bucket.notification_configuration
        for target in configuration.cloud_function if configuration else ():
            if target.matches(event_name, key.name):
                deliver(target.arn.rpartition(":")[2], object_event(event_name, bucket, key, target.id))

    original = notifications.send_event
    notifications.send_event = send
    try:
        yield
    finally:
        notifications.send_event = original


def object_event(kind: str, bucket: Any, key: Any, configuration: str) -> Event:  # noqa: ANN401 - moto's
    """Return an event with one record for *key*; the sequencer increases with each call."""
    s3_object = {
        "key": quote_plus(key.name, safe="/"),
        "size": key.size,
        "eTag": key.etag.strip('"'),
        "sequencer": f"{next(_sequence):018X}",
    }
    if key.version_id != _UNVERSIONED:
        s3_object["versionId"] = key.version_id
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": bucket.region_name,
        "eventTime": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "eventName": str(getattr(kind, "value", kind)).removeprefix("s3:"),
        "userIdentity": {"principalId": UPLOADER},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration,
            "bucket": {"name": bucket.name, "arn": bucket.arn, "ownerIdentity": {"principalId": "LOCAL"}},
            "object": s3_object,
        },
    }
    return {"Records": [record]}
