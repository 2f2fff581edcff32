"""Replay of the failure queue, with SQS on loopback and a scripted Lambda API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.commands import replay_uploads
from infra.local.aws import LocalAws
from infra.local.wire import HttpResponse
from tests.support.scripted_server import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENT = {"Records": [{"s3": {"object": {"key": "submit/team-a/a.json"}}}]}
FUNCTION = "stack-SubmitUpload-1"
INVOCATIONS = f"/2015-03-31/functions/{FUNCTION}/invocations"


ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_MAX_ATTEMPTS": "1",
}


class Cloud:
    """The failure queue and the Lambda API."""

    def __init__(self, aws: LocalAws, functions: ScriptedServer) -> None:
        self.functions = functions
        self.queue = aws.create_queue("failures")
        self._sqs = boto3.client("sqs", **aws.connection)

    def fail(self, *messages: object) -> None:
        """Send *messages* to the queue."""
        for message in messages:
            body = message if isinstance(message, str) else json.dumps(message)
            self._sqs.send_message(QueueUrl=self.queue, MessageBody=body)

    @property
    def message_count(self) -> int:
        """The number of messages in the queue, visible or not."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        attributes = self._sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=list(names))["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def replay(self) -> int:
        """Run the command."""
        return replay_uploads.main(["--queue", self.queue, "--function", FUNCTION])


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Start SQS and the Lambda API, and configure boto3 for both."""
    with LocalAws() as aws, ScriptedServer() as functions:
        urls = {"AWS_ENDPOINT_URL_SQS": aws.url, "AWS_ENDPOINT_URL_LAMBDA": functions.url}
        for name, value in (urls | ENVIRONMENT).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(replay_uploads, "WAIT_SECONDS", 0)
        functions.on(INVOCATIONS, HttpResponse(202))
        yield Cloud(aws, functions)


def record(event: object) -> dict[str, Any]:
    """Return a message as Lambda sends it."""
    return {"version": "1.0", "requestContext": {"condition": "RetriesExhausted"}, "requestPayload": event}


@pytest.mark.parametrize("count", [0, 12])
def test_each_event_is_invoked_again_and_leaves_the_queue(
    cloud: Cloud, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    """Each event is invoked asynchronously and its message deleted; an empty queue is not an error."""
    events = [EVENT | {"number": number} for number in range(count)]
    cloud.fail(*map(record, events))

    code = cloud.replay()

    invocations = cloud.functions.at(INVOCATIONS)
    assert (code, cloud.message_count) == (0, 0)
    assert sorted((json.loads(each.body) for each in invocations), key=lambda event: int(event["number"])) == events
    assert all(each.values("X-Amz-Invocation-Type") == ["Event"] for each in invocations)
    assert capsys.readouterr().out == f"Replayed {count} failed events; skipped 0 messages without an event.\n"


def test_message_stays_if_lambda_rejects_the_event(cloud: Cloud) -> None:
    """If Lambda rejects the invocation, the message stays in the queue."""
    cloud.fail(record(EVENT))
    cloud.functions.on(INVOCATIONS, HttpResponse(429, [("x-amzn-errortype", "TooManyRequestsException")], b"{}"))

    with pytest.raises(ClientError):
        cloud.replay()

    assert cloud.message_count == 1


@pytest.mark.parametrize("message", ["not JSON", "[]", "{}"])
def test_other_messages_stay(cloud: Cloud, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Messages that Lambda did not send stay in the queue, and the exit code is 1."""
    cloud.fail(message, record(EVENT))

    code = cloud.replay()

    assert (code, cloud.message_count) == (1, 1)
    assert len(cloud.functions.at(INVOCATIONS)) == 1
    assert "skipped 1 messages" in capsys.readouterr().out
