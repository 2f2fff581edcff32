"""Long polls that last for hours: networks break, proxies end long requests, tokens expire, and the poll goes on.

A request waits up to 25 seconds at the server. Where a connection breaks before that, the next request waits for a
shorter time: a proxy that ends requests after 3 seconds then lets each request through.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from researcher.errors import ServerError, Unavailable, WaitTimeout

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")

LONGEST_WAIT = 25
GRACE = 35.0
"""Seconds that a response may take beside its wait."""
FAILURES = 20
"""Failed requests after which the server is given up, if none between them succeeded."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0


class Poll:
    """The waits and pauses of one loop, which ends after *timeout* seconds."""

    def __init__(
        self,
        timeout: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._latest = None if timeout is None else clock() + timeout
        self._longest = LONGEST_WAIT
        self._failures = 0

    def request(self, send: Callable[[int], Found], longest: int = LONGEST_WAIT) -> Found | None:
        """Call *send* with the seconds to wait at the server; return None where it failed and may be repeated."""
        started = self._clock()
        try:
            found = send(min(self._seconds(), longest))
        except (Unavailable, ServerError) as error:
            self._failures += 1
            if self._failures >= FAILURES:
                raise
            if isinstance(error, Unavailable):
                self._longest = max(1, min(self._longest, int(self._clock() - started) // 2))
            self._pause()
            return None
        self._failures = 0
        return found

    def check(self, what: str) -> None:
        """Raise WaitTimeout if the time is over."""
        if self._latest is not None and self._clock() >= self._latest:
            raise WaitTimeout(f"The time limit has passed; {what}.")

    def pause(self, seconds: float) -> None:
        """Pause between two requests that do not wait at the server."""
        self._sleep(seconds if self._latest is None else max(0.0, min(seconds, self._latest - self._clock())))

    def _seconds(self) -> int:
        if self._latest is None:
            return self._longest
        return max(0, min(self._longest, round(self._latest - self._clock())))

    def _pause(self) -> None:
        self.pause(min(FIRST_PAUSE * 2 ** min(self._failures - 1, 8), LONGEST_PAUSE))
