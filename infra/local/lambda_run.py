"""Runs a Lambda handler as the service does: in a thread of its own, watched by the clock, whatever it raises."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class FunctionError(Exception):
    """The function raised instead of answering; the cause is chained."""


def outcome_of(function: Callable[[], object], seconds: float) -> object:
    """What *function* answers within *seconds*, else TimeoutError; it is not stopped then, only left alone."""
    outcome: Future[object] = Future()
    threading.Thread(target=_run, args=(function, outcome), daemon=True).start()
    return outcome.result(seconds)


def _run(function: Callable[[], object], outcome: Future[object]) -> None:
    try:
        outcome.set_result(function())
    except BaseException as failure:  # noqa: BLE001 - a function that exits its process is a failed one, too
        error = FunctionError(type(failure).__name__)
        error.__cause__ = failure
        outcome.set_exception(error)
