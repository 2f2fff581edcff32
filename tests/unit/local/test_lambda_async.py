"""Asynchronous invocations."""

from __future__ import annotations

import json
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest

from infra.local.lambda_async import RETRY_PAUSES, AsyncInvocations
from infra.local.lambda_invoke import Functions

if TYPE_CHECKING:
    from infra.local.lambda_proxy import LambdaContext

SECONDS = 30
"""Timeout of a test."""
EVENT = {"Records": [{"key": "ä"}]}


class RecordingFunction:
    """A function that fails *failures* times and records its invocations."""

    def __init__(self, failures: int) -> None:
        self._failures = failures
        self.invocations: list[tuple[Any, str]] = []
        self.outcomes: SimpleQueue[Any] = SimpleQueue()

    def handle(self, event: Any, context: LambdaContext) -> None:  # noqa: ANN401 - whatever JSON holds
        """Record the invocation; raise the first *failures* times."""
        self.invocations.append((event, context.aws_request_id))
        assert context.get_remaining_time_in_millis() > 0
        if len(self.invocations) <= self._failures:
            raise ValueError("not yet")
        self.outcomes.put("done")

    def fail(self, message: str) -> None:
        """Record a message for the failure queue."""
        self.outcomes.put(json.loads(message))


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_event_is_retried_until_it_succeeds(failures: int) -> None:
    """An event is tried up to three times, each time as a new invocation."""
    function = RecordingFunction(failures)

    with AsyncInvocations(Functions({"f": function.handle}), function.fail, pauses=(0, 0)) as lambda_async:
        lambda_async.invoke("f", EVENT)
        assert function.outcomes.get(timeout=SECONDS) == "done"

    assert [event for event, _ in function.invocations] == [EVENT] * (failures + 1)
    assert len({request for _, request in function.invocations}) == failures + 1


def test_exhausted_event_is_sent_to_the_failure_queue() -> None:
    """After two retries, the failure queue receives the event and the error, as Lambda's destinations do."""
    function = RecordingFunction(9)

    with AsyncInvocations(Functions({"f": function.handle}), function.fail, [0 for _ in RETRY_PAUSES]) as lambda_async:
        lambda_async.invoke("f", EVENT)
        record = function.outcomes.get(timeout=SECONDS)

    assert len(function.invocations) == 3
    assert record["requestPayload"] == EVENT
    assert record["requestContext"]["functionArn"].endswith(":function:f")
    assert record["requestContext"].items() >= {"condition": "RetriesExhausted", "approximateInvokeCount": 3}.items()
    assert record["responsePayload"] == {"errorType": "ValueError", "errorMessage": "not yet"}


def test_closing_drops_queued_events() -> None:
    """Closing does not wait for retries, and no event is accepted afterwards."""
    function = RecordingFunction(9)
    called = threading.Event()

    def fails(event: object, context: LambdaContext) -> None:
        called.set()
        function.handle(event, context)

    with AsyncInvocations(Functions({"f": fails}), function.fail, pauses=(SECONDS, SECONDS)) as lambda_async:
        lambda_async.invoke("f", EVENT)
        called.wait(SECONDS)
    lambda_async.invoke("f", EVENT)

    assert len(function.invocations) == 1
    assert function.outcomes.empty()
