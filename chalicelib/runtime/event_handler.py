"""Events in and out: what a Lambda gets that is no request becomes a typed event, with its deadline and its log line.

A failure is logged and raised: Lambda tries an event again, and then leaves it in the failure queue.
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
"""Left of a function's time when its work must end, to say what was done and what was not."""
DONE = 200


class Context(Protocol):
    """What Lambda says of an invocation; what of it is used here."""

    @property
    def aws_request_id(self) -> str:
        """Names the invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """How long the function may still run."""


class Event:
    """One invocation: the *document* that came, and until when; *notes* go into its log line, *counts* into metrics."""

    def __init__(self, document: Any, context: Context) -> None:  # noqa: ANN401 - whatever JSON holds
        self.document = document
        self.request_id = context.aws_request_id
        self.started = time.monotonic()
        ends = self.started + context.get_remaining_time_in_millis() / 1000
        self.deadline = Deadline(ends, self.request_id).before(RESERVE_SECONDS)
        self.notes: dict[str, object] = {}
        self.counts: dict[str, int] = {}


def on_event(function: Callable[[Event], object]) -> Callable[[Any, Context], object]:
    """Makes a Lambda handler of *function*, whose result is returned as JSON."""

    @wraps(function)
    def handler(document: Any, context: Context) -> object:  # noqa: ANN401 - whatever JSON holds
        event, status = Event(document, context), InternalError.status
        try:
            result = msgspec.to_builtins(function(event))
            status = DONE
        except ResearcherError as error:
            status = error.status
            event.notes |= {"code": error.code, "why": error.why}
            raise
        except Exception as error:  # noqa: BLE001 - as http.endpoint, the one place that catches everything
            text = str(error) if isinstance(error, SettingError) else request_log.code_locations(error)
            event.notes |= {"code": InternalError.code, "error": text}
            # Not the error itself: Lambda logs what is raised, and its text may hold anything.
            raise InternalError("Something went wrong here; the log line of this invocation says where.") from None
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
