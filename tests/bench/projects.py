"""GET /projects of a cluster that is 10 ms away, by a process that is warm but knows no verdict."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from infra.kubernetes.project import project_manifests
from infra.local.local_stack import PROJECTS, Stack
from tests.bench import surroundings
from tests.bench.asking import BASE, Request
from tests.bench.far_away import far_away
from tests.bench.figures import Comparison, Figure, Limit
from tests.cluster.real_cluster import RealCluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.artefacts import Artefacts
    from tests.bench.figures import Result
    from tests.bench.subject import Subject

DELAY = 0.010
COUNTS = (50, 100, 200, 400)
"""Projects on the cluster; every tenth is the caller's."""
MOST_MILLISECONDS = {200: 300.0}
LINEAR = COUNTS[-1] / COUNTS[0]

ASKED = Request("GET", f"{BASE}/projects", f"{BASE}/projects")


def measured(made: Artefacts, rounds: int) -> Iterator[Result]:
    """The time for each count of Projects, and how it grows."""
    found: list[Figure] = []
    with Stack(RealCluster) as stack, far_away(stack.cluster.url, DELAY) as url:
        variables = surroundings.environment(url, stack.cluster.ca_pem) | {"ENDPOINT": "list_projects"}
        # Each with a group of its own, so that no verdict on the one is known for the other.
        bearers = (stack.issuer.mint("carol", groups=["mine", f"x-{number}"]) for number in itertools.count())
        with surroundings.ours(made, "handle", variables) as subject:
            there = len(PROJECTS)
            for count in COUNTS:
                for number in range(there, count):
                    groups = ["mine"] if number % 10 == 0 else ["others"]
                    stack.cluster.apply(project_manifests(f"bench-{number:03}", groups))
                there = count
                what = f"list of {count} Projects, {DELAY * 1000:.0f} ms away"
                found.append(Figure.of(what, "ms", _samples(subject, bearers, rounds)))
                yield Limit(found[-1], MOST_MILLISECONDS.get(count))
    yield Comparison(found[-1], found[0], LINEAR)


def _samples(subject: Subject, bearers: Iterator[str], rounds: int) -> list[float]:
    asked = [ASKED.event(bearer) for bearer in itertools.islice(bearers, rounds + 1)]
    return subject.ask(asked, {200}).wall[1:]
