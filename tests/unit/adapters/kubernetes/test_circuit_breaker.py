"""The circuit breaker: when it opens, lets a probe pass, and closes."""

from __future__ import annotations

import pytest

from chalicelib.adapters.kubernetes.circuit_breaker import FAILURES, PAUSE, CircuitBreaker
from chalicelib.domain.errors import ClusterUnavailable
from tests.support.scripted_server import Clock


def is_open(breaker: CircuitBreaker) -> bool:
    """Return whether *breaker* rejects a request."""
    try:
        breaker.check()
    except ClusterUnavailable:
        return True
    return False


def open_breaker(seconds: float = PAUSE) -> tuple[Clock, CircuitBreaker]:
    """Return a breaker that opened *seconds* ago, with its clock."""
    clock = Clock()
    breaker = CircuitBreaker(clock)
    for _ in range(FAILURES):
        breaker.record_failure()
    clock.now += seconds
    return clock, breaker


class TestClosed:
    """While the cluster responds."""

    def test_success_resets_the_count(self) -> None:
        """Only failures in a row open the breaker."""
        breaker = CircuitBreaker(Clock())

        for _ in range(3):
            for _ in range(FAILURES - 1):
                breaker.record_failure()
            breaker.record_success()

        assert not is_open(breaker)


class TestOpen:
    """After failures in a row."""

    def test_error_has_retry_after(self) -> None:
        """Retry-After is the rest of the pause, rounded up to whole seconds."""
        _, breaker = open_breaker(3.5)

        with pytest.raises(ClusterUnavailable) as raised:
            breaker.check()

        assert raised.value.retry_after == 7
        assert raised.value.detail == "The cluster does not respond. Try again later."


class TestProbe:
    """After the pause."""

    def test_one_request_is_sent_as_a_probe(self) -> None:
        """Other requests fail until the probe has a response, so a cluster that is starting is not overloaded."""
        clock, breaker = open_breaker(PAUSE - 0.1)
        early = [is_open(breaker) for _ in range(3)]
        clock.now += 0.1

        assert (early, [is_open(breaker) for _ in range(3)]) == ([True] * 3, [False, True, True])

    def test_response_closes(self) -> None:
        """After a response all requests are sent."""
        _, breaker = open_breaker()
        breaker.check()

        breaker.record_success()

        assert [is_open(breaker) for _ in range(3)] == [False] * 3

    def test_failure_opens_for_another_pause(self) -> None:
        """One failed probe opens the breaker for another pause."""
        clock, breaker = open_breaker()
        breaker.check()
        clock.now += 2

        breaker.record_failure()

        clock.now += PAUSE - 0.1
        assert is_open(breaker)
        clock.now += 0.1
        assert not is_open(breaker)

    def test_lost_probe_does_not_block(self) -> None:
        """If the probe never reports a result, another one is sent after a pause."""
        clock, breaker = open_breaker()
        breaker.check()

        clock.now += PAUSE

        assert not is_open(breaker)
