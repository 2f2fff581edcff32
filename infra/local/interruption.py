"""Wait for Ctrl-C or SIGTERM, however many signals arrive.

A signal handler must not take a lock: `Event.set()` in a handler deadlocks if a second signal arrives inside the first.
The interpreter itself writes each signal to a pipe, and the handler only reads the clock.
"""

from __future__ import annotations

import os
import signal
import time

SIGNALS = (signal.SIGINT, signal.SIGTERM)
BURST_SECONDS = 1.0
"""Signals within this time are one: a terminal signals a process group, and `make` signals its command again."""
INTERRUPTED = 130
"""The exit status of a shell command that Ctrl-C ended."""


class Interruption:
    """The first signal ends `wait`; one that comes later than a burst ends the process at once."""

    def __init__(self) -> None:
        self._first_at: float | None = None
        self._pipe, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, self._handle)

    def wait(self) -> None:
        """Wait for the first signal; return at once if it has arrived already."""
        os.read(self._pipe, 1)

    def _handle(self, *_: object) -> None:
        now = time.monotonic()
        self._first_at = self._first_at or now
        if now - self._first_at > BURST_SECONDS:
            os._exit(INTERRUPTED)
