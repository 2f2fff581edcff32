"""The circuit breaker: a cluster that is down is left alone, and found again by itself."""

from __future__ import annotations

import pytest

from chalicelib.adapters.kubernetes.circuit_breaker import FAILURES, PAUSE, CircuitBreaker
from chalicelib.domain.errors import ClusterUnavailable
from tests.support.scripted_server import Clock


def refuses(breaker: CircuitBreaker) -> bool:
    """Whether *breaker* lets nobody through now."""
    try:
        breaker.check()
    except ClusterUnavailable:
        return True
    return False


def opened(seconds: float = PAUSE) -> tuple[Clock, CircuitBreaker]:
    """A clock, and a breaker that opened so many *seconds* ago."""
    clock = Clock()
    breaker = CircuitBreaker(clock)
    for _ in range(FAILURES):
        breaker.record_failure()
    clock.now += seconds
    return clock, breaker


class TestClosed:
    """While the cluster answers."""

    def test_answer_in_between_starts_the_count_again(self) -> None:
        """Only failures in a row count: one request's attempts alone prove nothing."""
        breaker = CircuitBreaker(Clock())

        for _ in range(3):
            for _ in range(FAILURES - 1):
                breaker.record_failure()
            breaker.record_success()

        assert not refuses(breaker)


class TestOpen:
    """After failures in a row."""

    def test_caller_is_told_when_to_come_again(self) -> None:
        """With what is left of the pause in whole seconds, rounded up: not before it is over."""
        _, breaker = opened(3.5)

        with pytest.raises(ClusterUnavailable) as refusal:
            breaker.check()

        assert refusal.value.retry_after == 7
        assert refusal.value.detail == "The cluster does not respond. Try again later."


class TestComingBack:
    """After the pause."""

    def test_one_call_tries_and_the_others_wait(self) -> None:
        """Until then none waits for a time-out; a cluster that is just starting is not met by a crowd."""
        clock, breaker = opened(PAUSE - 0.1)
        early = [refuses(breaker) for _ in range(3)]
        clock.now += 0.1

        assert (early, [refuses(breaker) for _ in range(3)]) == ([True] * 3, [False, True, True])

    def test_answer_closes(self) -> None:
        """The first answer lets everybody through."""
        _, breaker = opened()
        breaker.check()

        breaker.record_success()

        assert [refuses(breaker) for _ in range(3)] == [False] * 3

    def test_failure_opens_for_another_pause(self) -> None:
        """One failure is enough now, and the pause counts from it."""
        clock, breaker = opened()
        breaker.check()
        clock.now += 2

        breaker.record_failure()

        clock.now += PAUSE - 0.1
        assert refuses(breaker)
        clock.now += 0.1
        assert not refuses(breaker)

    def test_call_that_never_came_back_does_not_block_for_ever(self) -> None:
        """Another may try when a whole pause has gone by without a word."""
        clock, breaker = opened()
        breaker.check()

        clock.now += PAUSE

        assert not refuses(breaker)
