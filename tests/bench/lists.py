"""Long lists: the CPU time and the peak memory of reading all pages of a Project's Jobs.

Each sample is a process of its own, which first lists one Job, so that connections and keys are cached.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from infra.kubernetes.project import project_manifests
from infra.local.local_stack import Stack
from infra.localcluster.cluster import EmbeddedCluster
from tests.bench import environment
from tests.bench.figures import Comparison, Figure, Limit, in_turns
from tests.bench.gateway_request import BASE, Request
from tests.bench.long_lists import LongLists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.bench.artefacts import Artefacts
    from tests.bench.figures import Result
    from tests.bench.target import Measurement, Target

AGAINST_FLOOR = 2.5
AGAINST_TYPED = {1_000: 1 / 15, 10_000: 1 / 45}
MAX_MEGABYTES = 60
FIRST = 1
"""The number of Jobs of the Project that is listed first."""


class _Kind(NamedTuple):
    """A reader of lists: its process, and its request for a Project with a number of Jobs."""

    start: Callable[[], Target]
    request: Callable[[int], object]


def measure(artefacts: Artefacts, rounds: int) -> Iterator[Result]:
    """Compare the lists of each length with the floor, the typed client and json."""
    with Stack(lambda review: LongLists(EmbeddedCluster(review), rate=0.0)) as stack:
        for jobs in (FIRST, *AGAINST_TYPED):
            stack.cluster.apply(project_manifests(f"long-{jobs}", ["team-a"]))
        settings = environment.variables(stack.cluster.url, stack.cluster.ca_pem) | {"ENDPOINT": "list_jobs"}
        kinds = _kinds(artefacts, settings, stack.issuer.mint("alice"))
        for jobs, goal in AGAINST_TYPED.items():
            targets = {name: partial(_walk, kind, jobs) for name, kind in kinds.items()}
            yield from _compare(jobs, goal, in_turns(targets, rounds))


def _kinds(artefacts: Artefacts, settings: Mapping[str, str], bearer: str) -> dict[str, _Kind]:
    def event(jobs: int) -> object:
        return Request("GET", f"{BASE}/jobs/long-{jobs}", f"{BASE}/jobs/{{project}}").event(bearer)

    def path(jobs: int, limit: str = "") -> object:
        return {"path": f"/apis/batch/v1/namespaces/researcher-long-{jobs}/jobs", "limit": limit}

    return {
        "ours": _Kind(lambda: environment.ours(artefacts, "walk", settings), event),
        "raw bytes, pages of 500": _Kind(
            lambda: environment.direct("walk", settings), lambda jobs: path(jobs, limit="500")
        ),
        "raw bytes, whole": _Kind(lambda: environment.direct("walk", settings), path),
        "json, whole": _Kind(lambda: environment.peer(artefacts, "plain:walk", settings), path),
        "typed client, whole": _Kind(lambda: environment.peer(artefacts, "typed:walk", settings), path),
    }


def _walk(kind: _Kind, jobs: int) -> Measurement:
    with kind.start() as target:
        target.run([kind.request(FIRST)], {FIRST})
        return target.run([kind.request(jobs)], {jobs})


def _compare(jobs: int, goal: float, samples_by_name: Mapping[str, list[Measurement]]) -> Iterator[Result]:
    what = f"list of {jobs:,} Jobs, pages of 500"
    cpu = {
        name: Figure.of(f"{name}, CPU", "ms", [each.cpu for each in samples])
        for name, samples in samples_by_name.items()
    }
    goals = {"raw bytes, pages of 500": AGAINST_FLOOR, "typed client, whole": goal}
    for name in samples_by_name:
        if name != "ours":
            ours = Figure.of(f"{what}, CPU", "ms", [each.cpu for each in samples_by_name["ours"]])
            yield Comparison(ours, cpu[name], goals.get(name))
    wall = Figure.of(f"{what}, time", "ms", [each.wall[0] for each in samples_by_name["ours"]])
    typed = samples_by_name["typed client, whole"]
    yield Comparison(wall, Figure.of("typed client, whole, time", "ms", [each.wall[0] for each in typed]))
    yield Limit(Figure.of(f"{what}, peak memory", "MB", [each.peak for each in samples_by_name["ours"]]), MAX_MEGABYTES)
    for name in ("raw bytes, whole", "json, whole", "typed client, whole"):
        ours = Figure.of(f"{what}, peak memory", "MB", [each.peak for each in samples_by_name["ours"]])
        yield Comparison(ours, Figure.of(f"{name}, peak memory", "MB", [each.peak for each in samples_by_name[name]]))
