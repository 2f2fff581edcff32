"""A small circuit breaker: a cluster that is down is not asked by every request, and comes back by itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from chalicelib.domain.errors import ClusterUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURES = 5
"""Failed calls in a row that open the breaker: more than one request's attempts."""
PAUSE = 10.0
"""Seconds until one call may try again."""


class CircuitBreaker:
    """Counts failures of this process; open means refusing at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._open_until = 0.0

    def check(self) -> None:
        """Raises ClusterUnavailable while open; after the pause it lets one call through."""
        left = self._open_until - self._clock()
        if self._failures >= FAILURES and left > 0:
            error = ClusterUnavailable("The cluster does not answer. Try again later.", retry_after=int(left) + 1)
            error.add_note("circuit_breaker_open")
            raise error
        self._open_until = self._clock() + PAUSE if self._failures >= FAILURES else 0.0

    def failed(self) -> None:
        """Counts a call that got no answer."""
        self._failures += 1
        if self._failures >= FAILURES:
            self._open_until = self._clock() + PAUSE

    def answered(self) -> None:
        """Closes: the cluster is there, whatever it said."""
        self._failures = 0
