"""What grows with the Jobs of a Project: on the real control plane, by a page of fixed length and by a submission."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from chalicelib.domain.names import ProjectName, namespace_of
from infra.kubernetes.project import project_manifests
from infra.local.local_stack import Stack
from tests.bench import surroundings
from tests.bench.asking import BASE, Request
from tests.bench.figures import Comparison, Figure, in_turns
from tests.bench.warm import SUBMITTED
from tests.cluster.real_cluster import RealCluster
from tests.support.namespace import job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.artefacts import Artefacts
    from tests.bench.figures import Result
    from tests.bench.subject import Measured, Subject
    from tests.cluster.json_client import JsonClient

COUNTS = (100, 1_000, 4_000)
"""Jobs in three Projects."""
CALLS = 20
"""In a round."""
FLAT = 1.2
"""Times as long with the most Jobs as with the fewest, at most."""
PAGE = 100
WRITERS = 8


def measured(made: Artefacts, rounds: int) -> Iterator[Result]:
    """Each count against the fewest."""
    with Stack(RealCluster) as stack:
        for count in COUNTS:
            _fill(stack.cluster, count)
        variables = surroundings.environment(stack.cluster.url, stack.cluster.ca_pem)
        bearer, admin = stack.issuer.mint("alice"), stack.cluster.plane.admin
        with surroundings.ours(made, "handle", variables) as subject:
            listed = in_turns({_key(count): partial(_list, subject, bearer, count) for count in COUNTS}, rounds)
            made_jobs = in_turns(
                {_key(count): partial(_submit, subject, bearer, count, admin) for count in COUNTS}, rounds
            )
    for what, seen in ((f"page of {PAGE}", listed), ("submit", made_jobs)):
        figures = [
            Figure.of(f"{what}, {count:,} Jobs in the Project", "ms", [one.each for one in seen[_key(count)]])
            for count in COUNTS
        ]
        yield from (Comparison(figure, figures[0], FLAT) for figure in figures[1:])


def _key(count: int) -> str:
    return f"grown-{count}"


def _fill(cluster: RealCluster, count: int) -> None:
    """A Project of *count* suspended Jobs, whose quota has room for more."""
    manifests = project_manifests(_key(count), ["team-a"])
    cluster.apply(one for one in manifests if one["kind"] != "ResourceQuota")
    path = _jobs(count)
    with ThreadPoolExecutor(WRITERS) as writers:
        list(
            writers.map(
                lambda number: cluster.plane.admin.create(path, job(f"old-{number:04}", suspend=True)), range(count)
            )
        )


def _list(subject: Subject, bearer: str, count: int) -> Measured:
    asked = Request("GET", f"{BASE}/jobs/{_key(count)}?limit={PAGE}", f"{BASE}/jobs/{{project}}")
    return subject.ask([asked.event(bearer)] * CALLS, {200})


def _submit(subject: Subject, bearer: str, count: int, admin: JsonClient) -> Measured:
    asked = Request("POST", f"{BASE}/jobs", f"{BASE}/jobs", SUBMITTED | {"project": _key(count)})
    names = [f"bench-{uuid.uuid4().hex[:12]}" for _ in range(CALLS)]
    measured = subject.ask([asked.event(bearer, name) for name in names], {201})
    for name in names:
        admin.delete(f"{_jobs(count)}/{name}", propagationPolicy="Background")
    return measured


def _jobs(count: int) -> str:
    return f"/apis/batch/v1/namespaces/{namespace_of(ProjectName(_key(count)))}/jobs"
