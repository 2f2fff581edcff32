"""GET /projects with a cluster that is 10 ms away, in a warm process without cached access reviews."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from infra.kubernetes.project import project_manifests
from infra.local.local_stack import PROJECTS, Stack
from tests.bench import environment
from tests.bench.figures import Comparison, Figure, Limit
from tests.bench.gateway_request import BASE, Request
from tests.bench.latency_proxy import latency_proxy
from tests.cluster.real_cluster import RealCluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.artefacts import Artefacts
    from tests.bench.figures import Result
    from tests.bench.target import Target

DELAY = 0.010
COUNTS = (50, 100, 200, 400)
"""The numbers of Projects on the cluster; the caller may use every tenth."""
MAX_MILLISECONDS = {200: 300.0}
LINEAR = COUNTS[-1] / COUNTS[0]

REQUEST = Request("GET", f"{BASE}/projects", f"{BASE}/projects")


def measure(artefacts: Artefacts, rounds: int) -> Iterator[Result]:
    """Measure the time for each number of Projects, and its growth."""
    figures: list[Figure] = []
    with Stack(RealCluster) as stack, latency_proxy(stack.cluster.url, DELAY) as url:
        settings = environment.variables(url, stack.cluster.ca_pem) | {"ENDPOINT": "list_projects"}
        # Each token has a group of its own, so that no access review is cached for it.
        bearers = (stack.issuer.mint("carol", groups=["mine", f"x-{number}"]) for number in itertools.count())
        with environment.ours(artefacts, "handle", settings) as target:
            existing = len(PROJECTS)
            for count in COUNTS:
                for number in range(existing, count):
                    groups = ["mine"] if number % 10 == 0 else ["others"]
                    stack.cluster.apply(project_manifests(f"bench-{number:03}", groups))
                existing = count
                what = f"list of {count} Projects, {DELAY * 1000:.0f} ms away"
                figures.append(Figure.of(what, "ms", _samples(target, bearers, rounds)))
                yield Limit(figures[-1], MAX_MILLISECONDS.get(count))
    yield Comparison(figures[-1], figures[0], LINEAR)


def _samples(target: Target, bearers: Iterator[str], rounds: int) -> list[float]:
    events = [REQUEST.event(bearer) for bearer in itertools.islice(bearers, rounds + 1)]
    return target.run(events, {200}).wall[1:]
