"""A local replacement for EventBridge schedules: calls a function periodically on its own thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable


class Schedule:
    """Calls *action*, which must not raise, every *seconds* while the context is active."""

    def __init__(self, seconds: float, action: Callable[[], object]) -> None:
        self._seconds = seconds
        self._action = action
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        """Start the thread; the first call comes after the first interval."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop after the running call."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self._action()
