"""The arithmetic of the price of a million requests."""

from __future__ import annotations

import pytest

from tests.bench.figures import Comparison, Limit
from tests.bench.price import MEMORY, Durations, of_million, of_pod, results

IDLE = Durations(waiting=0, busy=0, loading=0)


@pytest.mark.parametrize(
    ("durations", "memory", "billed"),
    [
        pytest.param(Durations(waiting=10, busy=0, loading=0), 256, 10, id="the cluster takes its time"),
        pytest.param(Durations(waiting=0, busy=3, loading=0), 1769 // 2, 6, id="half a processor"),
        pytest.param(Durations(waiting=0, busy=3, loading=0), 4096, 3, id="one thread is no faster"),
        pytest.param(Durations(waiting=0, busy=0, loading=150), 512, 1.5, id="a hundred requests share a cold start"),
    ],
)
def test_billed_time(durations: Durations, memory: int, billed: float) -> None:
    """Work takes longer with less than the 1,769 MB of a whole processor; waiting does not."""
    assert durations.billed(memory) == pytest.approx(billed, rel=0.01)


def test_price_grows_with_time_and_memory() -> None:
    """3.50 for API Gateway and 0.20 for the invocations; a million times 10 ms at 1 GB are 10,000 GB-seconds."""
    assert of_million(IDLE, 512) == pytest.approx(3.70)
    assert of_million(Durations(10, 0, 0), 1024) == pytest.approx(3.70 + 0.133334)


def test_breaks_even_where_both_cost_the_same() -> None:
    """As many millions as one is cheaper than the pod: 730 hours of half a vCPU, 1 GB, a load balancer and a unit."""
    told = list(results(IDLE))

    assert of_pod() == pytest.approx(36.68, abs=0.01)
    assert len(told) == 2 * len(MEMORY)
    assert isinstance(told[0], Comparison)
    assert isinstance(told[1], Limit)
    assert told[1].ours.median == pytest.approx(1 / told[0].ratio)
