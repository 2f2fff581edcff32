"""EventBridge's schedule on this machine: an action on a thread of its own, again and again until it is ended."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable


class Schedule:
    """Calls *action*, which raises nothing, every so many *seconds* while it is entered."""

    def __init__(self, seconds: float, action: Callable[[], object]) -> None:
        self._seconds = seconds
        self._action = action
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        """Starts; the first call comes after the first pause."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends, after the call that runs."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            self._action()
