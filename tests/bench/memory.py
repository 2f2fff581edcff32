"""The memory of a deployed function's process after a thousand requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.cold_start import SUBMITTED, deployment
from tests.bench.figures import Figure, Limit
from tests.bench.gateway_request import BASE, JOB, Request
from tests.deployed.execution import resident
from tests.package.packaged_template import logical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.artefacts import Artefacts
    from tests.bench.figures import Result
    from tests.deployed.deployed import Deployed

MAX_MEGABYTES = 75
REQUESTS = 1_000
WARM = 100
"""Requests after which the memory should not grow."""
MAX_GROWTH = 1.0

FUNCTIONS = {
    "submit_job": Request("POST", f"{BASE}/jobs?dryRun=true", f"{BASE}/jobs", SUBMITTED),
    "list_jobs": Request("GET", f"{BASE}/jobs/team-a", f"{BASE}/jobs/{{project}}"),
    "get_job": Request("GET", f"{BASE}/jobs/team-a/bench-0", JOB),
}
"""Submissions are dry runs, so that the cluster does not accumulate Jobs."""


def measure(artefacts: Artefacts, rounds: int) -> Iterator[Result]:
    """Measure the memory of each function, and its growth after the first requests."""
    del rounds
    with deployment(artefacts) as (deployed, _):
        bearer = deployed.issuer.mint("alice")
        for name, request in FUNCTIONS.items():
            early, late = (_after(deployed, name, request, bearer, count) for count in (WARM, REQUESTS - WARM))
            yield Limit(Figure.of(f"{name}: memory after {REQUESTS:,} requests", "MB", [late]), MAX_MEGABYTES)
            growth = Figure.of(f"{name}: growth from request {WARM} to {REQUESTS:,}", "MB", [late - early])
            yield Limit(growth, MAX_GROWTH)


def _after(deployed: Deployed, name: str, request: Request, bearer: str, count: int) -> float:
    """Send *count* requests, and return the resident memory of the function's process in MB."""
    for number in range(count):
        outcome = deployed.lambdas.invoke(logical(name), request.event(bearer, f"memory-{number}"))
        if outcome.error or b'"statusCode": 200' not in outcome.body:
            raise AssertionError(f"{name} returned {outcome.error} {outcome.body[:300]!r}")
    (execution,) = deployed.lambdas.executions(logical(name))
    return resident(execution.pid) / 10**6
