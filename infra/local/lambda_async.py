"""Lambda's asynchronous invocations: an event is tried three times, then sent to the failure queue.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from infra.local.lambda_proxy import LambdaContext
from infra.local.lambda_run import FunctionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.local.lambda_invoke import Functions

    Event = dict[str, Any]

WORKERS = 8
RETRY_PAUSES = (0.5, 1.0)
"""Seconds before the second and the third attempt; Lambda waits one minute, then two."""


class AsyncInvocations:
    """Invokes *functions* with events while the context is active; *fail* receives the record of an exhausted event."""

    def __init__(
        self, functions: Functions, fail: Callable[[str], None], pauses: Sequence[float] = RETRY_PAUSES
    ) -> None:
        self._functions = functions
        self._fail = fail
        self._pauses = pauses
        self._closed = threading.Event()
        self._pool = ThreadPoolExecutor(WORKERS)

    def __enter__(self) -> Self:
        """Return this object."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for running invocations and drop the queued ones."""
        self._closed.set()
        self._pool.shutdown(cancel_futures=True)

    def invoke(self, function: str, event: Event) -> None:
        """Queue *event* for *function* and return at once."""
        if not self._closed.is_set():
            # Serialized, so that functions share no objects and an event that is not JSON fails here.
            self._pool.submit(self._deliver, function, json.dumps(event))

    def _deliver(self, function: str, event: str) -> None:
        for pause in (*self._pauses, 0.0):
            failure = self._invoke(function, event)
            if failure is None or self._closed.wait(pause):
                return
        self._fail(json.dumps(_destination_record(function, json.loads(event), failure, len(self._pauses) + 1)))

    def _invoke(self, function: str, event: str) -> BaseException | None:
        """Invoke *function* and return the exception that it raised, or None."""
        try:
            self._functions.invoke(function, json.loads(event))
        except FunctionError as error:
            return error.__cause__
        except TimeoutError as error:
            return error
        return None


def _destination_record(function: str, event: Event, failure: object, tries: int) -> Event:
    return {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": LambdaContext(function, "", lambda: 0.0).invoked_function_arn,
            "condition": "RetriesExhausted",
            "approximateInvokeCount": tries,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorType": type(failure).__name__, "errorMessage": str(failure)},
    }
