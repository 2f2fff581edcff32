"""Warm calls on the real control plane: what our handler and a peer add to the same calls made directly.

Each is a process of its own that has answered before. The floor sends what ours sends, as a proxy has recorded it, on
one connection of http.client, and reads bytes; the peer verifies the same tokens and asks the cluster the same things.
"""

from __future__ import annotations

import json
import uuid
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from chalicelib.domain.names import ProjectName, namespace_of
from infra.local.local_stack import Stack
from tests.bench import surroundings
from tests.bench.asking import BASE, JOB, Request
from tests.bench.figures import Comparison, Figure, Limit, in_turns
from tests.bench.recording import Recorded
from tests.cluster.real_cluster import RealCluster
from tests.support.api import Api
from tests.support.namespace import job

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.bench.artefacts import Artefacts
    from tests.bench.figures import Result
    from tests.bench.recording import Sent
    from tests.bench.subject import Measured, Subject
    from tests.cluster.json_client import JsonClient

REACH = 1.5
"""Milliseconds added at most."""
CALLS = 100
"""Of each kind by each subject in a round; the round that is left out has made connections, and fetched keys."""
LISTED = 10
PLACEHOLDER = "bench-recorded"

SUBMITTED = {"project": "team-a", "name": "*", "image": "busybox", "gpu": 1}
"""Its pod comes meanwhile, whoever submits."""
JOBS, OTHERS = (
    f"/apis/batch/v1/namespaces/{namespace_of(ProjectName(team))}/jobs" for team in ("team-a", "team-shared")
)
"""Where each kind has its Job, and where those are that are listed."""


class Kind(NamedTuple):
    """One kind of call: whether its Job is there *before* and *after*, and whether ours tries the pod first."""

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


def measured(made: Artefacts, rounds: int) -> Iterator[Result]:
    """Each kind of call by all three in turns."""
    with Stack(lambda review: Recorded(RealCluster(review), rate=0.0)) as stack:
        plane, bearer = stack.cluster.cluster, stack.issuer.mint("alice")
        with Api(stack, bearer=bearer) as alice:
            for number in range(LISTED):
                plane.plane.admin.create(OTHERS, job(f"bench-{number}", suspend=True))
            sent = {name: _sent(stack, kind, alice) for name, kind in KINDS.items()}
        variables = surroundings.environment(plane.url, plane.ca_pem)
        variables |= {"KUBERNETES_TOKEN": stack.cluster.proxy.bearer}
        for name, kind in KINDS.items():
            with _subjects(made, variables | {"PREFLIGHT": kind.preflight}) as subjects:
                calls = {
                    who: partial(_round, subject, kind, sent[name] if who == "floor" else bearer, plane.plane.admin)
                    for who, subject in subjects.items()
                }
                seen = in_turns(calls, rounds)
            yield from _compared(name, len(sent[name]), seen)


@contextmanager
def _subjects(made: Artefacts, variables: Mapping[str, str]) -> Iterator[dict[str, Subject]]:
    with ExitStack() as running:
        yield {
            "floor": running.enter_context(surroundings.direct("handle", variables)),
            "ours": running.enter_context(surroundings.ours(made, "handle", variables)),
            "peer": running.enter_context(surroundings.peer(made, "service:handle", variables)),
        }


def _sent(stack: Stack[Recorded[RealCluster]], kind: Kind, alice: Api) -> list[Sent]:
    """What ours sends to the cluster for a call that is not its first."""
    admin, request = stack.cluster.cluster.plane.admin, kind.request
    for name in ("bench-first", PLACEHOLDER):
        if kind.before:
            admin.create(JOBS, job(name, suspend=True))
        stack.cluster.proxy.sent.clear()
        path, body = request.path.removeprefix(BASE).replace("*", name), json.dumps(request.body).replace("*", name)
        headers = {"Content-Type": "application/json"}
        alice.ask(request.method, path, content=body if request.body else None, headers=headers).raise_for_status()
        if kind.after:
            admin.delete(f"{JOBS}/{name}", propagationPolicy="Background")
    return [one for one in stack.cluster.proxy.sent if kind.preflight == "on" or "dryRun" not in one.target]


def _round(subject: Subject, kind: Kind, asked: str | Sequence[Sent], admin: JsonClient) -> Measured:
    """One round of a *subject* that is asked by events of a bearer's, or to send what was recorded."""
    names = [f"bench-{uuid.uuid4().hex[:12]}" for _ in range(CALLS)]
    changes = "*" in f"{kind.request.path} {kind.request.body}"
    for name in names if kind.before and changes else ():
        admin.create(JOBS, job(name, suspend=True))
    if isinstance(asked, str):
        requests: list[object] = [kind.request.event(asked, name) for name in names]
    else:
        requests = [[one.named(PLACEHOLDER, name) for one in asked] for name in names]
    measured = subject.ask(requests, {200, 201})
    for name in names if kind.after and changes else ():
        admin.delete(f"{JOBS}/{name}", propagationPolicy="Background")
    return measured


def _compared(name: str, calls: int, seen: Mapping[str, Sequence[Measured]]) -> Iterator[Result]:
    plural = "call" if calls == 1 else "calls"
    for who, reach in (("ours", REACH), ("peer", None)):
        added = [one.each - floor.each for one, floor in zip(seen[who], seen["floor"], strict=True)]
        by = "" if who == "ours" else " by the peer"
        yield Limit(Figure.of(f"{name}: added{by} to its {calls} {plural} to the cluster", "ms", added), reach)
    ours = Figure.of(f"{name}, time", "ms", [one.each for one in seen["ours"]])
    yield Comparison(ours, Figure.of("the same calls made directly", "ms", [one.each for one in seen["floor"]]))
    yield Comparison(ours, Figure.of("FastAPI and the typed client", "ms", [one.each for one in seen["peer"]]), 1)
    busy = Figure.of(f"{name}, CPU", "ms", [one.busy for one in seen["ours"]])
    yield Comparison(busy, Figure.of("FastAPI and the typed client", "ms", [one.busy for one in seen["peer"]]))
