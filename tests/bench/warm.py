"""Warm calls on the real control plane: the time that our handler and a peer add to the same requests sent directly.

Each target is a warm process of its own. The floor sends the product's requests, as a proxy has recorded them, on one
connection of http.client, and does not decode the responses; the peer verifies the same tokens and sends the same
requests to the cluster.
"""

from __future__ import annotations

import json
import uuid
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from chalicelib.domain.names import ProjectName, namespace_of
from infra.local.local_stack import Stack
from tests.bench import environment
from tests.bench.figures import Comparison, Figure, Limit, in_turns
from tests.bench.gateway_request import BASE, JOB, Request
from tests.bench.recording_proxy import RecordedCluster
from tests.cluster.real_cluster import RealCluster
from tests.support.api import Api
from tests.support.namespace import job

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.bench.artefacts import Artefacts
    from tests.bench.figures import Result
    from tests.bench.recording_proxy import RecordedRequest
    from tests.bench.target import Measurement, Target
    from tests.cluster.json_client import JsonClient

GOAL = 1.5
"""The goal: at most this many added milliseconds."""
CALLS = 100
"""Calls of each kind by each target in a round; the discarded first round opens connections and fetches keys."""
LISTED = 10
PLACEHOLDER = "bench-recorded"

SUBMITTED = {"project": "team-a", "name": "*", "image": "busybox", "gpu": 1}
"""The Job's pod is created in the background for every target."""
JOBS, LISTED_JOBS = (
    f"/apis/batch/v1/namespaces/{namespace_of(ProjectName(team))}/jobs" for team in ("team-a", "team-shared")
)
"""The paths of the Jobs that the calls use, and of those that are listed."""


class Kind(NamedTuple):
    """One kind of call: whether its Job exists *before* and *after*, and whether ours has the preflight check."""

    request: Request
    before: bool = True
    after: bool = True
    preflight: str = "on"


KINDS = {
    "submit": Kind(Request("POST", f"{BASE}/jobs", f"{BASE}/jobs", SUBMITTED), before=False),
    "submit without preflight": Kind(
        Request("POST", f"{BASE}/jobs", f"{BASE}/jobs", SUBMITTED), before=False, preflight="off"
    ),
    "list of 10": Kind(Request("GET", f"{BASE}/jobs/team-shared?limit=10", f"{BASE}/jobs/{{project}}")),
    "get": Kind(Request("GET", f"{BASE}/jobs/team-a/*", JOB)),
    "delete": Kind(Request("DELETE", f"{BASE}/jobs/team-a/*", JOB), after=False),
}


def measure(artefacts: Artefacts, rounds: int) -> Iterator[Result]:
    """Measure each kind of call with all three targets in turns."""
    with Stack(lambda review: RecordedCluster(RealCluster(review), rate=0.0)) as stack:
        plane, bearer = stack.cluster.cluster, stack.issuer.mint("alice")
        with Api(stack, bearer=bearer) as alice:
            for number in range(LISTED):
                plane.plane.admin.create(LISTED_JOBS, job(f"bench-{number}", suspend=True))
            sent = {name: _record(stack, kind, alice) for name, kind in KINDS.items()}
        variables = environment.variables(plane.url, plane.ca_pem)
        variables |= {"KUBERNETES_TOKEN": stack.cluster.proxy.bearer}
        for name, kind in KINDS.items():
            with _targets(artefacts, variables | {"PREFLIGHT": kind.preflight}) as targets:
                calls = {
                    who: partial(_round, target, kind, sent[name] if who == "floor" else bearer, plane.plane.admin)
                    for who, target in targets.items()
                }
                samples = in_turns(calls, rounds)
            yield from _compare(name, len(sent[name]), samples)


@contextmanager
def _targets(artefacts: Artefacts, variables: Mapping[str, str]) -> Iterator[dict[str, Target]]:
    with ExitStack() as running:
        yield {
            "floor": running.enter_context(environment.direct("handle", variables)),
            "ours": running.enter_context(environment.ours(artefacts, "handle", variables)),
            "peer": running.enter_context(environment.peer(artefacts, "service:handle", variables)),
        }


def _record(stack: Stack[RecordedCluster[RealCluster]], kind: Kind, alice: Api) -> list[RecordedRequest]:
    """Return the requests that ours sends to the cluster for a call that is not the first one."""
    admin, request = stack.cluster.cluster.plane.admin, kind.request
    for name in ("bench-first", PLACEHOLDER):
        if kind.before:
            admin.create(JOBS, job(name, suspend=True))
        stack.cluster.proxy.requests.clear()
        path, body = request.path.removeprefix(BASE).replace("*", name), json.dumps(request.body).replace("*", name)
        headers = {"Content-Type": "application/json"}
        alice.request(request.method, path, content=body if request.body else None, headers=headers).raise_for_status()
        if kind.after:
            admin.delete(f"{JOBS}/{name}", propagationPolicy="Background")
    return [each for each in stack.cluster.proxy.requests if kind.preflight == "on" or "dryRun" not in each.target]


def _round(target: Target, kind: Kind, source: str | Sequence[RecordedRequest], admin: JsonClient) -> Measurement:
    """Run one round of a *target*, with events for a token or with recorded requests."""
    names = [f"bench-{uuid.uuid4().hex[:12]}" for _ in range(CALLS)]
    changes = "*" in f"{kind.request.path} {kind.request.body}"
    for name in names if kind.before and changes else ():
        admin.create(JOBS, job(name, suspend=True))
    if isinstance(source, str):
        requests: list[object] = [kind.request.event(source, name) for name in names]
    else:
        requests = [[each.named(PLACEHOLDER, name) for each in source] for name in names]
    measurement = target.run(requests, {200, 201})
    for name in names if kind.after and changes else ():
        admin.delete(f"{JOBS}/{name}", propagationPolicy="Background")
    return measurement


def _compare(name: str, calls: int, samples: Mapping[str, Sequence[Measurement]]) -> Iterator[Result]:
    plural = "call" if calls == 1 else "calls"
    for who, goal in (("ours", GOAL), ("peer", None)):
        added = [each.each - floor.each for each, floor in zip(samples[who], samples["floor"], strict=True)]
        by = "" if who == "ours" else " by the peer"
        yield Limit(Figure.of(f"{name}: added{by} to its {calls} {plural} to the cluster", "ms", added), goal)
    ours = Figure.of(f"{name}, time", "ms", [each.each for each in samples["ours"]])
    yield Comparison(ours, Figure.of("the same requests sent directly", "ms", [each.each for each in samples["floor"]]))
    yield Comparison(ours, Figure.of("FastAPI and the typed client", "ms", [each.each for each in samples["peer"]]), 1)
    cpu = Figure.of(f"{name}, CPU", "ms", [each.cpu_each for each in samples["ours"]])
    yield Comparison(cpu, Figure.of("FastAPI and the typed client", "ms", [each.cpu_each for each in samples["peer"]]))
