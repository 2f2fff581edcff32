"""Long lists: the processor's time and the peak of memory of reading all pages of a Project's Jobs.

Each sample is a process of its own, asked for one Job first, so that connections and keys are there.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from infra.kubernetes.project import project_manifests
from infra.local.local_stack import Stack
from infra.localcluster.cluster import EmbeddedCluster
from tests.bench import surroundings
from tests.bench.asking import BASE, Request
from tests.bench.figures import Comparison, Figure, Limit, in_turns
from tests.bench.long_lists import LongLists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.bench.artefacts import Artefacts
    from tests.bench.figures import Result
    from tests.bench.subject import Measured, Subject

AGAINST_FLOOR = 2.5
AGAINST_TYPED = {1_000: 1 / 15, 10_000: 1 / 45}
MOST_MEGABYTES = 60
FIRST = 1
"""The Project that is asked for first has so many Jobs."""


class _Kind(NamedTuple):
    """How a list is read: by whom, and what it is told to do for a Project of so many Jobs."""

    start: Callable[[], Subject]
    asked: Callable[[int], object]


def measured(made: Artefacts, rounds: int) -> Iterator[Result]:
    """Each length against the floor, the typed client and json."""
    with Stack(lambda review: LongLists(EmbeddedCluster(review), rate=0.0)) as stack:
        for jobs in (FIRST, *AGAINST_TYPED):
            stack.cluster.apply(project_manifests(f"long-{jobs}", ["team-a"]))
        variables = surroundings.environment(stack.cluster.url, stack.cluster.ca_pem) | {"ENDPOINT": "list_jobs"}
        kinds = _kinds(made, variables, stack.issuer.mint("alice"))
        for jobs, reach in AGAINST_TYPED.items():
            subjects = {name: partial(_walked, kind, jobs) for name, kind in kinds.items()}
            yield from _compared(jobs, reach, in_turns(subjects, rounds))


def _kinds(made: Artefacts, variables: Mapping[str, str], bearer: str) -> dict[str, _Kind]:
    def event(jobs: int) -> object:
        return Request("GET", f"{BASE}/jobs/long-{jobs}", f"{BASE}/jobs/{{project}}").event(bearer)

    def path(jobs: int, limit: str = "") -> object:
        return {"path": f"/apis/batch/v1/namespaces/researcher-long-{jobs}/jobs", "limit": limit}

    return {
        "ours": _Kind(lambda: surroundings.ours(made, "walk", variables), event),
        "raw bytes, pages of 500": _Kind(
            lambda: surroundings.direct("walk", variables), lambda jobs: path(jobs, limit="500")
        ),
        "raw bytes, whole": _Kind(lambda: surroundings.direct("walk", variables), path),
        "json, whole": _Kind(lambda: surroundings.peer(made, "plain:walk", variables), path),
        "typed client, whole": _Kind(lambda: surroundings.peer(made, "typed:walk", variables), path),
    }


def _walked(kind: _Kind, jobs: int) -> Measured:
    with kind.start() as subject:
        subject.ask([kind.asked(FIRST)], {FIRST})
        return subject.ask([kind.asked(jobs)], {jobs})


def _compared(jobs: int, reach: float, seen: Mapping[str, list[Measured]]) -> Iterator[Result]:
    what = f"list of {jobs:,} Jobs, pages of 500"
    cpu = {name: Figure.of(f"{name}, CPU", "ms", [one.cpu for one in samples]) for name, samples in seen.items()}
    reaches = {"raw bytes, pages of 500": AGAINST_FLOOR, "typed client, whole": reach}
    for name in seen:
        if name != "ours":
            ours = Figure.of(f"{what}, CPU", "ms", [one.cpu for one in seen["ours"]])
            yield Comparison(ours, cpu[name], reaches.get(name))
    wall = Figure.of(f"{what}, time", "ms", [one.wall[0] for one in seen["ours"]])
    typed = seen["typed client, whole"]
    yield Comparison(wall, Figure.of("typed client, whole, time", "ms", [one.wall[0] for one in typed]))
    yield Limit(Figure.of(f"{what}, peak memory", "MB", [one.peak for one in seen["ours"]]), MOST_MEGABYTES)
    for name in ("raw bytes, whole", "json, whole", "typed client, whole"):
        ours = Figure.of(f"{what}, peak memory", "MB", [one.peak for one in seen["ours"]])
        yield Comparison(ours, Figure.of(f"{name}, peak memory", "MB", [one.peak for one in seen[name]]))
