"""The memory of a deployed function's process that has answered a thousand requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.asking import BASE, JOB, Request
from tests.bench.cold_start import SUBMITTED, deployment
from tests.bench.figures import Figure, Limit
from tests.deployed.execution import resident
from tests.package.packaged_template import logical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.artefacts import Artefacts
    from tests.bench.figures import Result
    from tests.deployed.deployed import Deployed

MOST_MEGABYTES = 75
REQUESTS = 1_000
WARM = 100
"""Requests after which it should not grow any more."""
MOST_GROWTH = 1.0

FUNCTIONS = {
    "submit_job": Request("POST", f"{BASE}/jobs?dryRun=true", f"{BASE}/jobs", SUBMITTED),
    "list_jobs": Request("GET", f"{BASE}/jobs/team-a", f"{BASE}/jobs/{{project}}"),
    "get_job": Request("GET", f"{BASE}/jobs/team-a/bench-0", JOB),
}
"""Submitting is a dry run: a thousand Jobs would measure the cluster."""


def measured(made: Artefacts, rounds: int) -> Iterator[Result]:
    """Each function's, and how much it grew since it was warm."""
    del rounds
    with deployment(made) as (deployed, _):
        bearer = deployed.issuer.mint("alice")
        for name, request in FUNCTIONS.items():
            early, late = (_after(deployed, name, request, bearer, count) for count in (WARM, REQUESTS - WARM))
            yield Limit(Figure.of(f"{name}: memory after {REQUESTS:,} requests", "MB", [late]), MOST_MEGABYTES)
            growth = Figure.of(f"{name}: growth from request {WARM} to {REQUESTS:,}", "MB", [late - early])
            yield Limit(growth, MOST_GROWTH)


def _after(deployed: Deployed, name: str, request: Request, bearer: str, count: int) -> float:
    """MB that the function's process holds after *count* more requests."""
    for number in range(count):
        outcome = deployed.lambdas.invoke(logical(name), request.event(bearer, f"memory-{number}"))
        if outcome.error or b'"statusCode": 200' not in outcome.body:
            raise AssertionError(f"{name} answered {outcome.error} {outcome.body[:300]!r}")
    (execution,) = deployed.lambdas.executions(logical(name))
    return resident(execution.pid) / 10**6
