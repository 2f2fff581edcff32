"""A circuit breaker for the cluster, one in each process.

Closed: every request is sent. Open, after FAILURES requests in a row without a response: requests fail at once, for
PAUSE seconds. Then one request is sent as a probe: a response closes the breaker, another failure keeps it open for
the next PAUSE. Any response closes the breaker, whatever its status.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from chalicelib.domain.errors import ClusterUnavailable
from chalicelib.domain.failure_reasons import FailureReason, note_reason

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURES = 5
"""Failures in a row that open the breaker; more than the attempts of one request."""
PAUSE = 10.0
"""Seconds until the next probe."""


class CircuitBreaker:
    """Counts the failed requests of this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._open_until = 0.0

    def check(self) -> None:
        """Raise ClusterUnavailable while the breaker is open; let one request pass after each pause."""
        left = self._open_until - self._clock()
        if self._failures >= FAILURES and left > 0:
            error = ClusterUnavailable("The cluster does not respond. Try again later.", retry_after=int(left) + 1)
            raise note_reason(error, FailureReason.CIRCUIT_BREAKER_OPEN)
        self._open_until = self._clock() + PAUSE if self._failures >= FAILURES else 0.0

    def record_failure(self) -> None:
        """Count a request that got no response."""
        self._failures += 1
        if self._failures >= FAILURES:
            self._open_until = self._clock() + PAUSE

    def record_success(self) -> None:
        """Close the breaker after a response of any status."""
        self._failures = 0
