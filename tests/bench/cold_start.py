"""Cold starts: the processor time of one process, from its start to its first answer, under AWS's runtime client."""

from __future__ import annotations

import itertools
import json
import resource
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from infra.local.lambda_proxy import ProxyRequest
from tests.bench.figures import Comparison, Figure, Limit, in_turns
from tests.deployed.execution import Execution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.figures import Result
    from tests.deployed.deployed import Deployed
    from tests.deployed.execution import Function

BASE = "/researcher/api/v1"
AGAINST_SOURCES = {"submit_job": 0.16, "list_jobs": 0.11, "get_job": 0.11, "delete_job": 0.11, "docs": 0.05}
AGAINST_BYTECODE = {"submit_job": 0.42, "list_jobs": 0.30, "get_job": 0.30, "delete_job": 0.30}
"""How far each function should reach against the naive peer as Chalice packages it, and with bytecode."""
PEER_OF = {"docs": "list_jobs"}
"""The naive peer has no documentation page; one Lambda for all starts the same for any route."""


class Request(NamedTuple):
    """A request for one endpoint; a star in *path* becomes a new Job's name."""

    method: str
    path: str
    resource: str
    body: dict[str, object] | None = None


JOB = {"project": "team-a", "name": "*", "image": "busybox", "gpu": 1}
REQUESTS = {
    "submit_job": Request("POST", f"{BASE}/jobs", f"{BASE}/jobs", JOB),
    "list_jobs": Request("GET", f"{BASE}/jobs/team-a", f"{BASE}/jobs/{{project}}"),
    "get_job": Request("GET", f"{BASE}/jobs/team-a/bench-0", f"{BASE}/jobs/{{project}}/{{name}}"),
    "delete_job": Request("DELETE", f"{BASE}/jobs/team-a/*", f"{BASE}/jobs/{{project}}/{{name}}"),
    "list_projects": Request("GET", f"{BASE}/projects", f"{BASE}/projects"),
    "health": Request("GET", f"{BASE}/health", f"{BASE}/health"),
    "openapi": Request("GET", f"{BASE}/openapi.json", f"{BASE}/openapi.json"),
    "docs": Request("GET", "/researcher/api/docs", "/researcher/api/docs"),
}


class ColdStarts:
    """Measures functions of *deployed*, and peers that know the same surroundings."""

    def __init__(self, deployed: Deployed[Any], make_job: Callable[[str], None], bearer: str) -> None:
        self._deployed = deployed
        self._make_job = make_job
        self._bearer = bearer
        self._names = (f"bench-{uuid.uuid4().hex[:8]}-{number}" for number in itertools.count())

    def milliseconds(self, function: Function, request: Request) -> float:
        """Processor milliseconds of a new process of *function* that answers *request*."""
        event = self._event(request)
        before = _spent()
        execution = Execution(function, lambda _line: None)
        try:
            outcome = execution.outcome(str(uuid.uuid4()), event)
        finally:
            execution.close()
        spent = _spent() - before
        if outcome.error or json.loads(outcome.body)["statusCode"] >= 300:
            raise AssertionError(f"{function.name} answered {outcome.error} {outcome.body[:300]!r}")
        return spent * 1000

    def _event(self, request: Request) -> bytes:
        name = next(self._names)
        if request.method == "DELETE":
            self._make_job(name)
        path = request.path.replace("*", name)
        values = dict(zip(_variables(request.resource), path.removeprefix(f"{BASE}/jobs/").split("/"), strict=False))
        body = json.dumps(request.body).replace("*", name).encode() if request.body else b""
        headers = [("Authorization", f"Bearer {self._bearer}"), ("Content-Type", "application/json")]
        proxy = ProxyRequest("r", "v1", request.resource, values, request.method, path, headers, body, 0.0)
        return json.dumps(proxy.event(())).encode()


def results(starts: ColdStarts, functions: dict[str, Function], peers: dict[str, Function]) -> Iterator[Result]:
    """Each function against the peers: *peers* are floor, same, sources and bytecode."""
    subjects: dict[str, Callable[[], float]] = {
        "a function that does nothing": partial(starts.milliseconds, peers["floor"], REQUESTS["health"])
    }
    for name, request in REQUESTS.items():
        subjects[name] = partial(starts.milliseconds, functions[name], request)
        subjects[f"same code, packaged by Chalice: {name}"] = partial(starts.milliseconds, peers["same"], request)
    for name in AGAINST_BYTECODE:
        for kind in ("sources", "bytecode"):
            subjects[f"naive peer, {kind}: {name}"] = partial(starts.milliseconds, peers[kind], REQUESTS[name])
    seen = {what: Figure.of(what, "ms", samples) for what, samples in in_turns(subjects).items()}
    yield Limit(seen["a function that does nothing"])
    for name in REQUESTS:
        yield Comparison(seen[name], seen[f"same code, packaged by Chalice: {name}"])
    for name, reach in AGAINST_SOURCES.items():
        yield Comparison(seen[name], seen[f"naive peer, sources: {PEER_OF.get(name, name)}"], reach)
    for name, reach in AGAINST_BYTECODE.items():
        yield Comparison(seen[name], seen[f"naive peer, bytecode: {name}"], reach)


def _variables(resource: str) -> list[str]:
    return [part.strip("{}") for part in resource.split("/") if part.startswith("{")]


def _spent() -> float:
    """Seconds of processor time of all processes that have ended so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
