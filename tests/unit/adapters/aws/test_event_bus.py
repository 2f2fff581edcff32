"""The event bus: published events, and the translation of EventBridge's errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from chalicelib.adapters.aws import event_bus
from chalicelib.domain.errors import EventBusUnavailable
from chalicelib.domain.finished.announcement import Announcement
from infra.local.aws import LocalAws
from infra.local.wire import HttpResponse
from tests.support.builders import NOW_MS, deployment
from tests.support.scripted_server import unused_url

if TYPE_CHECKING:
    from chalicelib.adapters.aws.event_bus import EventBridgeBus
    from tests.support.scripted_server import ScriptedServer

QUEUE = "received"


pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def scripted(site: ScriptedServer, environment: pytest.MonkeyPatch) -> EventBridgeBus:
    """Connect to a bus whose responses the test scripts."""
    environment.setenv("AWS_ENDPOINT_URL", site.url)
    return event_bus.connect(deployment())


def announcement(name: str = "train-1") -> Announcement:
    """Return the announcement that this Job succeeded."""
    return Announcement(
        id=f"uid-of-{name}", project="team-a", name=name, status="Succeeded", reason=None, exit_code=0,
        failed_pod=None, user="alice", gpu_seconds=1.5, gpu_seconds_is_lower_bound=False, finished_at=NOW_MS,
        cluster="gpu-east",
    )  # fmt: skip


def bus_reply(*results: dict[str, str], status: int = 200) -> HttpResponse:
    """Return a response of PutEvents."""
    document: dict[str, Any] = {
        "FailedEntryCount": sum("ErrorCode" in result for result in results),
        "Entries": list(results),
    }
    return HttpResponse(status, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(document).encode())


class TestPublish:
    """Publishing events."""

    def test_reaches_a_rule(self, environment: pytest.MonkeyPatch) -> None:
        """A rule on the default bus matches the events by their source."""
        with LocalAws() as aws:
            queue = aws.create_queue(QUEUE)
            aws.send_events("researcher-api", QUEUE)
            environment.setenv("AWS_ENDPOINT_URL", aws.url)

            accepted = event_bus.connect(deployment()).publish([announcement("a"), announcement("b")])

            sqs: Any = boto3.client("sqs", **aws.connection)
            received = [
                json.loads(message["Body"])
                for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
            ]
            sqs.close()
        assert accepted == {"uid-of-a", "uid-of-b"}
        assert {event["detail-type"] for event in received} == {"job.finished"}
        assert sorted(event["detail"]["name"] for event in received) == ["a", "b"]
        assert received[0]["detail"].keys() == {
            "id", "project", "name", "status", "reason", "exitCode", "failedPod", "user", "gpuSeconds",
            "gpuSecondsIsLowerBound", "finishedAt", "cluster",
        }  # fmt: skip

    def test_returns_which_events_were_accepted(self, scripted: EventBridgeBus, site: ScriptedServer) -> None:
        """Results are matched by position; an event without a result is not accepted."""
        error = {"ErrorCode": "ThrottlingException", "ErrorMessage": "Slow down."}
        site.on("/", bus_reply({"EventId": "1"}, error, {"EventId": "3"}))

        accepted = scripted.publish([announcement(name) for name in "abcd"])

        assert accepted == {"uid-of-a", "uid-of-c"}


class TestErrors:
    """Error responses of EventBridge."""

    @pytest.mark.parametrize(
        ("code", "status", "why"),
        [
            ("AccessDeniedException", 400, "access_denied"),
            ("InternalException", 500, "status_500"),
            ("ThrottlingException", 400, "throttled"),
            ("UnrecognizedClientException", 400, "invalid_credentials"),
        ],
    )
    def test_are_an_unavailable_bus(
        self, scripted: EventBridgeBus, site: ScriptedServer, code: str, status: int, why: str
    ) -> None:
        """No event was accepted, and the error does not contain AWS's message."""
        body = json.dumps({"__type": code, "message": "User: arn:aws:sts::1:x is not authorized"}).encode()
        site.on("/", HttpResponse(status, [("Content-Type", "application/x-amz-json-1.1")], body))

        with pytest.raises(EventBusUnavailable) as raised:
            scripted.publish([announcement()])

        assert "arn:" not in raised.value.detail
        assert raised.value.why == f"eventbridge: {why}"

    @pytest.mark.parametrize("status", [200, 500])
    @pytest.mark.parametrize("body", [b"<html><p>", b"{", b"", b"\xff"])
    def test_response_that_is_not_from_eventbridge(
        self, scripted: EventBridgeBus, site: ScriptedServer, body: bytes, status: int
    ) -> None:
        """No event is accepted."""
        site.on("/", HttpResponse(status, [("Content-Type", "application/x-amz-json-1.1")], body))

        try:
            accepted = scripted.publish([announcement()])
        except EventBusUnavailable:
            accepted = set()

        assert accepted == set()

    def test_connection_refused(self, environment: pytest.MonkeyPatch) -> None:
        """A refused connection, as in a VPC without an endpoint, is an unavailable bus."""
        environment.setenv("AWS_ENDPOINT_URL", unused_url())

        with pytest.raises(EventBusUnavailable) as raised:
            event_bus.connect(deployment()).publish([announcement()])
        assert raised.value.why == "eventbridge: connect_failed"
