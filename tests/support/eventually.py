"""Polling: a test waits for a state, never for a fixed time.

A test that sleeps for the usual duration of something fails on a busy machine and is slow on an idle one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")

BOUND_SECONDS = 120
"""The time limit of a wait: many times what it takes on a busy machine."""
POLL_SECONDS = 0.02


def eventually(look: Callable[[], Found], is_expected: Callable[[Found], bool] = bool) -> Found:
    """Return what *look* returns once that satisfies *is_expected*.

    Raise TimeoutError with the last value after BOUND_SECONDS.
    """
    latest = time.monotonic() + BOUND_SECONDS
    while not is_expected(found := look()):
        if time.monotonic() > latest:
            raise TimeoutError(f"Not within {BOUND_SECONDS} s. The last value is {found}")
        time.sleep(POLL_SECONDS)
    return found
