"""What a million requests cost, from what was measured and prices that were read, beside a pod that always runs.

The prices are those of us-east-1 in dollars, without a free tier, read in November 2026. API Gateway's stands in AWS's
whitepaper "Best Practices for Designing Amazon API Gateway Private APIs", under cost optimization; the others in what
others wrote of AWS's price pages: cloudchipr.com/blog/aws-lambda-pricing, vantage.sh/blog/fargate-pricing and
awsnegotiations.com/elastic-load-balancer-cost.html. Logs and traffic cost both sides the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.figures import Comparison, Figure, Limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.figures import Result

GIGABYTE_SECOND = 0.0000133334
"""Of Lambda on arm64."""
INVOCATION = 0.20 / 10**6
API_REQUEST = 3.50 / 10**6
"""Of a REST API in API Gateway."""
POD_HOUR = 0.5 * 0.03238 + 1 * 0.00356
"""Half a vCPU and 1 GB of Fargate on arm64: one pod, so without a second one for when its node goes."""
BALANCER_HOUR = 0.0225 + 0.008
"""An Application Load Balancer and one capacity unit."""
HOURS = 730
"""Of a month."""
MEMORY = (256, 512, 1024)
"""MB; our functions have 512."""
WHOLE_PROCESSOR = 1769
"""MB at which Lambda gives a function one vCPU."""
COLD_SHARE = 0.01
"""Of the requests meet a new environment, whose INIT is billed."""
MILLION = 10**6


@dataclass(frozen=True)
class Durations:
    """Milliseconds of a request, without the processor and with it, and of the processor to load the code."""

    waiting: float
    busy: float
    loading: float

    def billed(self, memory: int) -> float:
        """Milliseconds that a request is billed for at *memory* MB; INIT has a whole processor whatever the memory."""
        slowed = max(1.0, WHOLE_PROCESSOR / memory)
        return self.waiting + self.busy * slowed + self.loading * COLD_SHARE


def of_million(durations: Durations, memory: int) -> float:
    """Dollars of a million requests at *memory* MB."""
    gigabyte_seconds = durations.billed(memory) / 1000 * memory / 1024
    return MILLION * (API_REQUEST + INVOCATION + gigabyte_seconds * GIGABYTE_SECOND)


def of_pod() -> float:
    """Dollars of a month of the pod and its load balancer."""
    return HOURS * (POD_HOUR + BALANCER_HOUR)


def results(durations: Durations) -> Iterator[Result]:
    """The price at each memory size, and from how many requests a month on the pod is cheaper."""
    pod = Figure.of("a month of one pod behind a load balancer", "$", [of_pod()])
    for memory in MEMORY:
        million = of_million(durations, memory)
        yield Comparison(Figure.of(f"a million requests at {memory} MB", "$", [million]), pod)
        breaks_even = [of_pod() / million]
        yield Limit(Figure.of(f"break-even with the pod at {memory} MB", "million requests a month", breaks_even))
