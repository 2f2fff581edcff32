"""The arithmetic of the price of a million requests."""

from __future__ import annotations

import pytest

from tests.bench.figures import Comparison, Limit
from tests.bench.price import MEMORY, Durations, of_million, of_pod, results

IDLE = Durations(waiting=0, busy=0, loading=0)


class TestDurations:
    """What is billed."""

    def test_waiting_does_not_depend_on_memory(self) -> None:
        """The cluster takes its time."""
        assert Durations(waiting=10, busy=0, loading=0).billed(256) == 10

    def test_work_takes_longer_with_less_memory(self) -> None:
        """Half of 1,769 MB is half a processor; more than all of it does not make one thread faster."""
        durations = Durations(waiting=0, busy=3, loading=0)

        assert durations.billed(1769 // 2) == pytest.approx(6, rel=0.01)
        assert durations.billed(4096) == 3

    def test_a_cold_start_is_shared(self) -> None:
        """Among a hundred requests."""
        assert Durations(waiting=0, busy=0, loading=150).billed(512) == 1.5


class TestPrice:
    """A million requests, and a pod."""

    def test_begins_with_what_a_request_costs(self) -> None:
        """3.50 for API Gateway and 0.20 for the invocations."""
        assert of_million(IDLE, 512) == pytest.approx(3.70)

    def test_grows_with_time_and_memory(self) -> None:
        """A million times 10 ms at 1 GB are 10,000 GB-seconds, of 0.0000133334 each."""
        assert of_million(Durations(10, 0, 0), 1024) == pytest.approx(3.70 + 0.133334)

    def test_of_a_pod_is_that_of_a_month(self) -> None:
        """730 hours of half a vCPU, 1 GB, a load balancer and one capacity unit."""
        assert of_pod() == pytest.approx(36.68, abs=0.01)

    def test_breaks_even_where_both_cost_the_same(self) -> None:
        """As many millions as one is cheaper than the pod."""
        told = list(results(IDLE))

        assert len(told) == 2 * len(MEMORY)
        assert isinstance(told[0], Comparison)
        assert isinstance(told[1], Limit)
        assert told[1].ours.median == pytest.approx(1 / told[0].ratio)
