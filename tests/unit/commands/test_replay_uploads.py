"""Replay of the failure queue, against SQS on loopback and a Lambda that the test scripts."""

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


CONFIGURED = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_MAX_ATTEMPTS": "1",
}


class Cloud:
    """A queue with messages, and the function."""

    def __init__(self, aws: LocalAws, functions: ScriptedServer) -> None:
        self.functions = functions
        self.queue = aws.create_queue("failures")
        self._sqs = boto3.client("sqs", **aws.connection)

    def fail(self, *messages: object) -> None:
        """Puts *messages* into the queue."""
        for message in messages:
            body = message if isinstance(message, str) else json.dumps(message)
            self._sqs.send_message(QueueUrl=self.queue, MessageBody=body)

    @property
    def kept(self) -> int:
        """How many messages there are, in sight or not."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        told = self._sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=list(names))["Attributes"]
        return sum(int(told[name]) for name in names)

    def replay(self) -> int:
        """Runs the command."""
        return replay_uploads.main(["--queue", self.queue, "--function", FUNCTION])


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """AWS as boto3 is configured to find it."""
    with LocalAws() as aws, ScriptedServer() as functions:
        urls = {"AWS_ENDPOINT_URL_SQS": aws.url, "AWS_ENDPOINT_URL_LAMBDA": functions.url}
        for name, value in (urls | CONFIGURED).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(replay_uploads, "WAIT_SECONDS", 0)
        functions.on(INVOCATIONS, HttpResponse(202))
        yield Cloud(aws, functions)


def record(event: object) -> dict[str, Any]:
    """What Lambda puts into the queue."""
    return {"version": "1.0", "requestContext": {"condition": "RetriesExhausted"}, "requestPayload": event}


@pytest.mark.parametrize("count", [0, 12])
def test_each_event_is_invoked_again_and_leaves_the_queue(
    cloud: Cloud, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    """Asynchronously, so that Lambda's retries and the queue are behind it again; an empty queue is no error."""
    events = [EVENT | {"number": number} for number in range(count)]
    cloud.fail(*map(record, events))

    code = cloud.replay()

    asked = cloud.functions.at(INVOCATIONS)
    assert (code, cloud.kept) == (0, 0)
    assert sorted((json.loads(one.body) for one in asked), key=lambda one: int(one["number"])) == events
    assert all(one.values("X-Amz-Invocation-Type") == ["Event"] for one in asked)
    assert capsys.readouterr().out == f"Replayed {count} failed events; left 0 messages that hold none.\n"


def test_event_that_was_not_taken_stays(cloud: Cloud) -> None:
    """Lambda refuses: nothing is lost."""
    cloud.fail(record(EVENT))
    cloud.functions.on(INVOCATIONS, HttpResponse(429, [("x-amzn-errortype", "TooManyRequestsException")], b"{}"))

    with pytest.raises(ClientError):
        cloud.replay()

    assert cloud.kept == 1


@pytest.mark.parametrize("message", ["no JSON", "[]", "{}"])
def test_other_messages_stay(cloud: Cloud, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody put them there, and shall look."""
    cloud.fail(message, record(EVENT))

    code = cloud.replay()

    assert (code, cloud.kept) == (1, 1)
    assert len(cloud.functions.at(INVOCATIONS)) == 1
    assert "left 1 messages" in capsys.readouterr().out
