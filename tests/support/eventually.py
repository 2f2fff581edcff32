"""How a test waits: for a state, and never for a time.

A test that sleeps for as long as something usually takes fails on a busy machine and is slow on an idle one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")

BOUND_SECONDS = 120
"""Until a wait fails: many times what it takes on a busy machine."""
POLL_SECONDS = 0.02


def eventually(look: Callable[[], Found], holds: Callable[[Found], bool] = bool) -> Found:
    """Return what *look* finds once it *holds*; TimeoutError after BOUND_SECONDS, with what was found last."""
    latest = time.monotonic() + BOUND_SECONDS
    while not holds(found := look()):
        if time.monotonic() > latest:
            raise TimeoutError(f"Not within {BOUND_SECONDS} s. Found last: {found}")
        time.sleep(POLL_SECONDS)
    return found
