"""Scaling with the Jobs of a Project: the time of a page and of a submission, on the real control plane."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from chalicelib.domain.names import ProjectName, namespace_of
from infra.kubernetes.project import project_manifests
from infra.local.local_stack import Stack
from tests.bench import environment
from tests.bench.figures import Comparison, Figure, in_turns
from tests.bench.gateway_request import BASE, Request
from tests.bench.warm import SUBMITTED
from tests.cluster.real_cluster import RealCluster
from tests.support.namespace import job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.artefacts import Artefacts
    from tests.bench.figures import Result
    from tests.bench.target import Measurement, Target
    from tests.cluster.json_client import JsonClient

COUNTS = (100, 1_000, 4_000)
"""The numbers of Jobs in three Projects."""
CALLS = 20
"""The calls in a round."""
GOAL = 1.2
"""The goal for the most Jobs: at most this many times the duration with the fewest."""
PAGE = 100
WRITERS = 8


def measure(artefacts: Artefacts, rounds: int) -> Iterator[Result]:
    """Compare each number of Jobs with the smallest."""
    with Stack(RealCluster) as stack:
        for count in COUNTS:
            _fill(stack.cluster, count)
        settings = environment.variables(stack.cluster.url, stack.cluster.ca_pem)
        bearer, admin = stack.issuer.mint("alice"), stack.cluster.plane.admin
        with environment.ours(artefacts, "handle", settings) as target:
            lists = in_turns({_key(count): partial(_list, target, bearer, count) for count in COUNTS}, rounds)
            submissions = in_turns(
                {_key(count): partial(_submit, target, bearer, count, admin) for count in COUNTS}, rounds
            )
    for what, samples in ((f"page of {PAGE}", lists), ("submit", submissions)):
        figures = [
            Figure.of(f"{what}, {count:,} Jobs in the Project", "ms", [each.each for each in samples[_key(count)]])
            for count in COUNTS
        ]
        yield from (Comparison(figure, figures[0], GOAL) for figure in figures[1:])


def _key(count: int) -> str:
    return f"grown-{count}"


def _fill(cluster: RealCluster, count: int) -> None:
    """Create a Project of *count* suspended Jobs without a quota."""
    manifests = project_manifests(_key(count), ["team-a"])
    cluster.apply(each for each in manifests if each["kind"] != "ResourceQuota")
    path = _jobs(count)
    with ThreadPoolExecutor(WRITERS) as writers:
        list(
            writers.map(
                lambda number: cluster.plane.admin.create(path, job(f"old-{number:04}", suspend=True)), range(count)
            )
        )


def _list(target: Target, bearer: str, count: int) -> Measurement:
    request = Request("GET", f"{BASE}/jobs/{_key(count)}?limit={PAGE}", f"{BASE}/jobs/{{project}}")
    return target.run([request.event(bearer)] * CALLS, {200})


def _submit(target: Target, bearer: str, count: int, admin: JsonClient) -> Measurement:
    request = Request("POST", f"{BASE}/jobs", f"{BASE}/jobs", SUBMITTED | {"project": _key(count)})
    names = [f"bench-{uuid.uuid4().hex[:12]}" for _ in range(CALLS)]
    measurement = target.run([request.event(bearer, name) for name in names], {201})
    for name in names:
        admin.delete(f"{_jobs(count)}/{name}", propagationPolicy="Background")
    return measurement


def _jobs(count: int) -> str:
    return f"/apis/batch/v1/namespaces/{namespace_of(ProjectName(_key(count)))}/jobs"
