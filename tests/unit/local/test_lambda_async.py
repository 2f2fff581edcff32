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
"""Until a test gives up."""
EVENT = {"Records": [{"key": "ä"}]}


class Recorded:
    """A function that fails *failures* times, and what was asked of it and left of it."""

    def __init__(self, failures: int) -> None:
        self._failures = failures
        self.asked: list[tuple[Any, str]] = []
        self.outcomes: SimpleQueue[Any] = SimpleQueue()

    def handle(self, event: Any, context: LambdaContext) -> None:  # noqa: ANN401 - whatever JSON holds
        """Fails, or tells that it was called."""
        self.asked.append((event, context.aws_request_id))
        assert context.get_remaining_time_in_millis() > 0
        if len(self.asked) <= self._failures:
            raise ValueError("not yet")
        self.outcomes.put("done")

    def fail(self, message: str) -> None:
        """Keeps what the failure queue gets."""
        self.outcomes.put(json.loads(message))


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_function_is_tried_until_it_takes_the_event(failures: int) -> None:
    """Up to three times, each an invocation of its own with the same event."""
    function = Recorded(failures)

    with AsyncInvocations(Functions({"f": function.handle}), function.fail, pauses=(0, 0)) as deliveries:
        deliveries.invoke("f", EVENT)
        assert function.outcomes.get(timeout=SECONDS) == "done"

    assert [event for event, _ in function.asked] == [EVENT] * (failures + 1)
    assert len({request for _, request in function.asked}) == failures + 1


def test_event_that_fails_for_good_is_kept() -> None:
    """As Lambda's destinations get it: the event, and what the function said, after the template's two retries."""
    function = Recorded(9)

    with AsyncInvocations(Functions({"f": function.handle}), function.fail, [0 for _ in RETRY_PAUSES]) as deliveries:
        deliveries.invoke("f", EVENT)
        kept = function.outcomes.get(timeout=SECONDS)

    assert len(function.asked) == 3
    assert kept["requestPayload"] == EVENT
    assert kept["requestContext"]["functionArn"].endswith(":function:f")
    assert kept["requestContext"].items() >= {"condition": "RetriesExhausted", "approximateInvokeCount": 3}.items()
    assert kept["responsePayload"] == {"errorType": "ValueError", "errorMessage": "not yet"}


def test_closing_drops_what_waits() -> None:
    """Ctrl-C is not kept waiting by retries, and nothing is called afterwards."""
    function = Recorded(9)
    called = threading.Event()

    def fails(event: object, context: LambdaContext) -> None:
        called.set()
        function.handle(event, context)

    with AsyncInvocations(Functions({"f": fails}), function.fail, pauses=(SECONDS, SECONDS)) as deliveries:
        deliveries.invoke("f", EVENT)
        called.wait(SECONDS)
    deliveries.invoke("f", EVENT)

    assert len(function.asked) == 1
    assert function.outcomes.empty()
