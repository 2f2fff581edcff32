"""Run a Lambda handler with a timeout, in its own thread, and report whatever it raises."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class FunctionError(Exception):
    """The function raised an exception, which is the cause of this one."""


def run_with_timeout(function: Callable[[], object], seconds: float) -> object:
    """Return the result of *function*; raise TimeoutError after *seconds*, without stopping the function."""
    outcome: Future[object] = Future()
    threading.Thread(target=_run, args=(function, outcome), daemon=True).start()
    return outcome.result(seconds)


def _run(function: Callable[[], object], outcome: Future[object]) -> None:
    try:
        outcome.set_result(function())
    except BaseException as exception:  # noqa: BLE001 - a function that exits its process has failed, too
        error = FunctionError(type(exception).__name__)
        error.__cause__ = exception
        outcome.set_exception(error)
