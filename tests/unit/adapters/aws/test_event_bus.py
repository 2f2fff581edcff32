"""The event bus: what is sent there, and what its refusals mean."""

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

QUEUE = "heard"


pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def scripted(site: ScriptedServer, environment: pytest.MonkeyPatch) -> EventBridgeBus:
    """A bus whose answers the test tells."""
    environment.setenv("AWS_ENDPOINT_URL", site.url)
    return event_bus.connect(deployment())


def announcement(name: str = "train-1") -> Announcement:
    """That the Job of that name succeeded."""
    return Announcement(
        id=f"uid-of-{name}", project="team-a", name=name, status="Succeeded", reason=None, user="alice",
        gpu_seconds=1.5, finished_at=NOW_MS, cluster="gpu-east",
    )  # fmt: skip


def answered(*results: dict[str, str], status: int = 200) -> HttpResponse:
    """What EventBridge answers."""
    document: dict[str, Any] = {
        "FailedEntryCount": sum("ErrorCode" in one for one in results),
        "Entries": list(results),
    }
    return HttpResponse(status, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(document).encode())


class TestPublish:
    """What is sent."""

    def test_reaches_a_rule(self, environment: pytest.MonkeyPatch) -> None:
        """By its source, on the default bus."""
        with LocalAws() as aws:
            queue = aws.create_queue(QUEUE)
            aws.send_events("researcher-api", QUEUE)
            environment.setenv("AWS_ENDPOINT_URL", aws.url)

            accepted = event_bus.connect(deployment()).publish([announcement("a"), announcement("b")])

            sqs: Any = boto3.client("sqs", **aws.connection)
            heard = [
                json.loads(one["Body"])
                for one in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
            ]
            sqs.close()
        assert accepted == {"uid-of-a", "uid-of-b"}
        assert {one["detail-type"] for one in heard} == {"job.finished"}
        assert sorted(one["detail"]["name"] for one in heard) == ["a", "b"]
        assert heard[0]["detail"].keys() == {
            "id", "project", "name", "status", "reason", "user", "gpuSeconds", "finishedAt", "cluster"
        }  # fmt: skip

    def test_tells_which_were_accepted(self, scripted: EventBridgeBus, site: ScriptedServer) -> None:
        """By their place: the answer names no event. One of which nothing is said is told again."""
        refused = {"ErrorCode": "ThrottlingException", "ErrorMessage": "Slow down."}
        site.on("/", answered({"EventId": "1"}, refused, {"EventId": "3"}))

        accepted = scripted.publish([announcement(name) for name in "abcd"])

        assert accepted == {"uid-of-a", "uid-of-c"}


class TestRefusals:
    """What EventBridge does not do."""

    @pytest.mark.parametrize(
        ("code", "status"), [("AccessDeniedException", 400), ("InternalException", 500), ("ThrottlingException", 400)]
    )
    def test_are_an_unavailable_bus(
        self, scripted: EventBridgeBus, site: ScriptedServer, code: str, status: int
    ) -> None:
        """Nothing was announced; its own text stays where it is."""
        body = json.dumps({"__type": code, "message": "User: arn:aws:sts::1:x is not authorized"}).encode()
        site.on("/", HttpResponse(status, [("Content-Type", "application/x-amz-json-1.1")], body))

        with pytest.raises(EventBusUnavailable) as refused:
            scripted.publish([announcement()])

        assert "arn:" not in refused.value.detail

    @pytest.mark.parametrize("status", [200, 500])
    @pytest.mark.parametrize("body", [b"<html><p>", b"{", b"", b"\xff"])
    def test_answer_of_somebody_else(
        self, scripted: EventBridgeBus, site: ScriptedServer, body: bytes, status: int
    ) -> None:
        """As good as none: what was not taken is not marked."""
        site.on("/", HttpResponse(status, [("Content-Type", "application/x-amz-json-1.1")], body))

        try:
            accepted = scripted.publish([announcement()])
        except EventBusUnavailable:
            accepted = set()

        assert accepted == set()

    def test_nobody_there(self, environment: pytest.MonkeyPatch) -> None:
        """As in a VPC without a way to EventBridge."""
        environment.setenv("AWS_ENDPOINT_URL", unused_url())

        with pytest.raises(EventBusUnavailable):
            event_bus.connect(deployment()).publish([announcement()])
