"""Cold starts: the CPU time of one process from its start to its first response, with AWS's runtime client."""

from __future__ import annotations

import itertools
import json
import resource
import time
import uuid
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import boto3
from moto.eks.models import eks_backends

from infra.local.aws import REGION
from infra.local.aws_requests import ACCOUNT
from infra.localcluster.cluster import EmbeddedCluster
from infra.packaging.template import template
from tests.bench.figures import Comparison, Figure, Limit, in_turns
from tests.bench.gateway_request import BASE, JOB, Request
from tests.deployed.deployed import Deployed
from tests.deployed.execution import Execution
from tests.package.packaged_template import logical
from tests.support.api import IMAGE, Api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.bench.artefacts import Artefacts
    from tests.bench.figures import Result
    from tests.deployed.execution import Function, Outcome

AGAINST_SOURCES = {"submit_job": 0.16, "list_jobs": 0.11, "get_job": 0.11, "delete_job": 0.11, "docs": 0.05}
AGAINST_BYTECODE = {"submit_job": 0.42, "list_jobs": 0.30, "get_job": 0.30, "delete_job": 0.30}
"""The goals relative to the naive peer as Chalice packages it, and with bytecode."""
PEER_OF = {"docs": "list_jobs"}
"""The naive peer has no documentation page; its one Lambda has the same cold start for any route."""
LISTED = 10

SUBMITTED = {"project": "team-a", "name": "*", "image": "busybox", "gpu": 1}
REQUESTS = {
    "submit_job": Request("POST", f"{BASE}/jobs", f"{BASE}/jobs", SUBMITTED),
    "list_jobs": Request("GET", f"{BASE}/jobs/team-a", f"{BASE}/jobs/{{project}}"),
    "get_job": Request("GET", f"{BASE}/jobs/team-a/bench-0", JOB),
    "delete_job": Request("DELETE", f"{BASE}/jobs/team-a/*", JOB),
    "list_projects": Request("GET", f"{BASE}/projects", f"{BASE}/projects"),
    "health": Request("GET", f"{BASE}/health", f"{BASE}/health"),
    "openapi": Request("GET", f"{BASE}/openapi.json", f"{BASE}/openapi.json"),
    "sign_in": Request("GET", f"{BASE}/sign-in", f"{BASE}/sign-in"),
    "docs": Request("GET", "/researcher/api/docs", "/researcher/api/docs"),
}


class ColdStarts:
    """Measures functions and peers with the same environment; *alice* creates the Jobs that they delete."""

    def __init__(self, alice: Api, bearer: str) -> None:
        self._alice = alice
        self._bearer = bearer
        self._names = (f"bench-{uuid.uuid4().hex[:8]}-{number}" for number in itertools.count())

    def milliseconds(self, function: Function, request: Request) -> float:
        """Return the CPU milliseconds of a new process of *function* that handles *request*."""
        event = json.dumps(request.event(self._bearer, self.name(request))).encode()
        before = cpu_seconds()
        with closing(Execution(function, lambda _line: None)) as execution:
            outcome = execution.outcome(str(uuid.uuid4()), event)
        elapsed = cpu_seconds() - before
        _check(function, outcome)
        return elapsed * 1000

    def first_response(self, function: Function, request: Request, name: str) -> float:
        """Return the milliseconds from event to response for the Job *name*, in a new process with loaded code."""
        event = json.dumps(request.event(self._bearer, name)).encode()
        with closing(Execution(function, lambda _line: None)) as execution:
            execution.wait_until_ready()
            started = time.perf_counter()
            outcome = execution.outcome(str(uuid.uuid4()), event)
            elapsed = time.perf_counter() - started
        _check(function, outcome)
        return elapsed * 1000

    def name(self, request: Request) -> str:
        """Return the name of a new Job, which exists if *request* deletes it."""
        name = next(self._names)
        if request.method == "DELETE":
            self._alice.submit(name=name, image=IMAGE).raise_for_status()
        return name


@contextmanager
def deployment(artefacts: Artefacts) -> Iterator[tuple[Deployed, Api]]:
    """Deploy the packaged product on an embedded cluster with LISTED Jobs, and yield it with a client of alice."""
    with (
        Deployed(EmbeddedCluster, template("dev"), artefacts.ours, artefacts.runtime) as deployed,
        Api(deployed) as alice,
    ):
        for number in range(LISTED):
            alice.submit(name=f"bench-{number}").raise_for_status()
        yield deployed, alice


def measure(artefacts: Artefacts, rounds: int) -> Iterator[Result]:
    """Compare each function with the peers, all on one embedded cluster."""
    with deployment(artefacts) as (deployed, alice):
        describe(deployed, deployed.cluster.url)
        functions = {name: deployed.lambdas.functions[logical(name)] for name in REQUESTS}
        starts = ColdStarts(alice, deployed.issuer.mint("alice"))
        yield from results(starts, functions, _peers(functions["list_jobs"], artefacts), rounds)


def _peers(ours: Function, artefacts: Artefacts) -> dict[str, Function]:
    """Return the peers, with the configuration of the function *ours*."""
    tasks = {"same": artefacts.same, "sources": artefacts.sources, "bytecode": artefacts.bytecode}
    floor = replace(peer(ours, "floor", artefacts.floor), handler="floor.handle")
    return {"floor": floor} | {kind: peer(ours, kind, task) for kind, task in tasks.items()}


def peer(ours: Function, name: str, task: Path) -> Function:
    """Return a Lambda of *task* for all routes, with the configuration of *ours* but without its role."""
    environment = dict(ours.environment) | {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    environment = {key: value for key, value in environment.items() if key not in {"ENDPOINT", "AWS_SESSION_TOKEN"}}
    return replace(ours, name=name, handler="app.app", task=task, environment=environment)


def describe(deployed: Deployed, endpoint: str) -> None:
    """Let DescribeCluster, which only the naive peer calls, return the cluster at *endpoint*."""
    eks = boto3.client("eks", **deployed.aws.connection)
    role = f"arn:aws:iam::{ACCOUNT}:role/eks"
    eks.create_cluster(name=deployed.cluster.name, roleArn=role, resourcesVpcConfig={})
    cluster = eks_backends[ACCOUNT][REGION].clusters[deployed.cluster.name]
    cluster.endpoint = endpoint
    cluster.certificate_authority = {"data": deployed.authority}


def results(
    starts: ColdStarts, functions: dict[str, Function], peers: dict[str, Function], rounds: int
) -> Iterator[Result]:
    """Compare each function with the peers: *peers* are floor, same, sources and bytecode."""
    floor_name = "cold start of a function that does nothing"
    targets: dict[str, Callable[[], float]] = {
        floor_name: partial(starts.milliseconds, peers["floor"], REQUESTS["health"])
    }
    for name, request in REQUESTS.items():
        targets[f"cold start of {name}"] = partial(starts.milliseconds, functions[name], request)
        targets[f"same code, packaged by Chalice: {name}"] = partial(starts.milliseconds, peers["same"], request)
    for name in AGAINST_BYTECODE:
        for kind in ("sources", "bytecode"):
            targets[f"naive peer, {kind}: {name}"] = partial(starts.milliseconds, peers[kind], REQUESTS[name])
    figures = {what: Figure.of(what, "ms", samples) for what, samples in in_turns(targets, rounds).items()}
    yield Limit(figures[floor_name])
    for name in REQUESTS:
        yield Comparison(figures[f"cold start of {name}"], figures[f"same code, packaged by Chalice: {name}"])
    for name, goal in AGAINST_SOURCES.items():
        peer = figures[f"naive peer, sources: {PEER_OF.get(name, name)}"]
        yield Comparison(figures[f"cold start of {name}"], peer, goal)
    for name, goal in AGAINST_BYTECODE.items():
        yield Comparison(figures[f"cold start of {name}"], figures[f"naive peer, bytecode: {name}"], goal)


def _check(function: Function, outcome: Outcome) -> None:
    if outcome.error or json.loads(outcome.body)["statusCode"] >= 300:
        raise AssertionError(f"{function.name} returned {outcome.error} {outcome.body[:300]!r}")


def cpu_seconds() -> float:
    """Return the CPU seconds of all child processes that have ended so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
