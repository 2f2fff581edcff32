"""`python -m tests.bench.projects`: GET /projects with 200 Projects, 3 of them the caller's, 10 ms from the cluster."""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

from infra.kubernetes.project import project_manifests
from infra.local.stack import Stack
from tests.api import Api
from tests.cluster.fault_proxy import Faulty
from tests.cluster.real_cluster import RealCluster

PROJECTS = 200
MINE = {"bench-007", "bench-077", "bench-177"}
DELAY = 0.010
ROUNDS = 15


def main() -> None:
    """Prints the median, the fastest and the slowest of 15 answers by a process that is warm but knows no verdict."""
    names = [f"bench-{number:03}" for number in range(PROJECTS)]
    with Stack(lambda review: Faulty(RealCluster(review), rate=0.0, delay=DELAY)) as stack:
        for name in names:
            stack.cluster.apply(project_manifests(name, ["mine" if name in MINE else "others"]))
        # Each with a group of its own, so that no verdict on the one is known for the other.
        seen = [_timed(stack.issuer.mint("carol", groups=["mine", f"x-{n}"]), stack) for n in range(ROUNDS + 1)][1:]
    median, fastest, slowest = statistics.median(seen), min(seen), max(seen)
    told = f"{median * 1000:.0f} ms (median of {ROUNDS}; {fastest * 1000:.0f} to {slowest * 1000:.0f} ms)"
    sys.stdout.write(f"GET /projects, {PROJECTS} Projects, {DELAY * 1000:.0f} ms to the cluster: {told}\n")


def _timed(bearer: str, stack: Stack[Any]) -> float:
    with Api(stack, bearer=bearer) as carol:
        carol.ask("GET", "/health")  # the connection to the API itself
        begun = time.perf_counter()
        answer = carol.ask("GET", "/projects")
        took = time.perf_counter() - begun
    found = {project["name"] for project in answer.raise_for_status().json()["data"]}
    if found != MINE:
        raise AssertionError(f"Not the Projects of the caller: {found}")
    return took


if __name__ == "__main__":
    main()
