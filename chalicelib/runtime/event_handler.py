"""Handlers of Lambda events that are not HTTP requests: each event gets a deadline and a line in the request log.

An error is logged and raised again: Lambda retries the event, and then sends it to the dead-letter queue.
"""

from __future__ import annotations

import time
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from chalicelib.deadline import Deadline
from chalicelib.domain.errors import InternalError, ResearcherError
from chalicelib.runtime import request_log
from chalicelib.settings import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable

RESERVE_SECONDS = 10.0
"""The deadline of an event is this long before the function's time-out, so that the result can still be reported."""
SUCCEEDED = 200


class Context(Protocol):
    """The part of Lambda's context object that is used here."""

    @property
    def aws_request_id(self) -> str:
        """The id of the invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until the function's time-out."""


class Event:
    """One invocation: its *document* and deadline. *notes* are added to the log line, *counts* to the metrics."""

    def __init__(self, document: Any, context: Context) -> None:  # noqa: ANN401 - any JSON value
        self.document = document
        self.request_id = context.aws_request_id
        self.started = time.monotonic()
        timeout_at = self.started + context.get_remaining_time_in_millis() / 1000
        self.deadline = Deadline(timeout_at, self.request_id).before(RESERVE_SECONDS)
        self.notes: dict[str, object] = {}
        self.counts: dict[str, int] = {}


def on_event(function: Callable[[Event], object]) -> Callable[[Any, Context], object]:
    """Turn *function* into a Lambda handler that returns its result as JSON."""

    @wraps(function)
    def handler(document: Any, context: Context) -> object:  # noqa: ANN401 - any JSON value
        event, status = Event(document, context), InternalError.status
        try:
            result = msgspec.to_builtins(function(event))
            status = SUCCEEDED
        except ResearcherError as error:
            status = error.status
            event.notes |= {"code": error.code, "why": error.why}
            raise
        except Exception as error:  # noqa: BLE001 - the outermost handler, as http.endpoint is for requests
            text = str(error) if isinstance(error, SettingError) else request_log.code_locations(error)
            event.notes |= {"code": InternalError.code, "error": text}
            # Lambda logs the error that is raised, and the text of the original one may contain a secret.
            raise InternalError("Internal error. The request log has its location under the request id.") from None
        finally:
            _log(function.__module__.rpartition(".")[2], event, status)
        return result

    return handler


def _log(function: str, event: Event, status: int) -> None:
    milliseconds = (time.monotonic() - event.started) * 1000
    notes = {"request": event.request_id, **event.notes}
    request_log.write_request(
        function,
        event.counts,
        status=status,
        milliseconds=milliseconds,
        attempts=event.deadline.attempts,
        **notes,
    )
