"""A cluster that fails in one way at a time: what the caller reads, how soon, and that no Job is there twice."""

from __future__ import annotations

import base64
import time
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import pytest

from chalicelib.adapters.aws import eks_tokens
from chalicelib.adapters.kubernetes import api_client
from chalicelib.adapters.kubernetes import cluster as cluster_adapter
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.deadline import Deadline
from chalicelib.settings import settings
from infra.local.local_stack import Stack
from infra.localcluster.certificates import server_identity
from infra.localcluster.kinds import JOB
from tests.product.test_faults import NAMESPACE, NO_PREFLIGHT, ROOMY
from tests.security.hostile_tokens import bearer
from tests.security.scripted_faults import FOR_EVER, ScriptedCluster
from tests.security.sending import sent
from tests.support.scripted_server import FAR_DEADLINE, RawServer, unused_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from infra.local.wire import HttpResponse
    from infra.localcluster.cluster import EmbeddedCluster
    from tests.cluster.real_cluster import RealCluster
    from tests.support.attack_recorder import Counter

    AnyCluster = EmbeddedCluster | RealCluster
    FaultyStack = Stack[ScriptedCluster[AnyCluster]]

pytestmark = pytest.mark.attack("faults")

LITTLE = {"DEADLINE_SECONDS": "1.0"}
"""Time for a cluster that does not answer; the others have more than they need, however busy this machine is."""
SLACK = 20.0
"""Seconds beyond the deadline at which a test fails, on whatever machine; how many it was stands in the table."""
NUMBERS = count()
WELL = {"submit": 201, "list": 200, "get": 200, "delete": 200, "projects": 200}

Outcome = tuple[int, str | None]
BUSY: Outcome = (503, "cluster_unavailable")
LATE: Outcome = (504, "deadline_exceeded")
STRANGER: Outcome = (503, "credentials_unavailable")


class Fault(NamedTuple):
    """What the caller reads when it lasts, and whether one of it is tried again."""

    name: str
    outcome: Outcome
    is_tried_again: bool = True


FAULTS = [
    Fault("429", BUSY),
    Fault("429, 60", BUSY, is_tried_again=False),
    Fault("503", BUSY),
    Fault("500", BUSY),
    Fault("500, after", BUSY),
    Fault("reset", BUSY),
    Fault("reset, after", BUSY),
    Fault("hang", LATE, is_tried_again=False),
    Fault("hang, after", LATE, is_tried_again=False),
    Fault("truncated", BUSY, is_tried_again=False),
    Fault("401", STRANGER),
    Fault("307", BUSY, is_tried_again=False),
]


class Case:
    """One request of one function, for a Job of its own, in a new process of the functions."""

    def __init__(self, stack: FaultyStack, function: str) -> None:
        self.stack = stack
        self.function = function
        self.number = f"{next(NUMBERS)}"
        self.headers = bearer(stack.issuer.mint("alice"))
        cluster_adapter.connect.cache_clear()
        stack.cluster.proxy.meet("", 0)
        if function in ("get", "delete"):
            self.ask("submit")

    def ask(self, function: str = "") -> HttpResponse:
        """The answer to the request, or to another *function*'s about the same Job."""
        document = {"project": "team-a", "name": f"job-{self.number}", "image": "x", "labels": {"n": self.number}}
        key = ("Idempotency-Key", self.number)
        match function or self.function:
            case "submit":
                return sent(self.stack, "POST", "/jobs", [*self.headers, key], document)
            case "list":
                return sent(self.stack, "GET", "/jobs/team-a?limit=5", self.headers)
            case "projects":
                return sent(self.stack, "GET", "/projects", self.headers)
            case method:
                verb = "GET" if method == "get" else "DELETE"
                return sent(self.stack, verb, f"/jobs/team-a/job-{self.number}", self.headers)

    def jobs(self) -> int:
        """How many Jobs there are of it."""
        found = self.stack.cluster.cluster.find(JOB, NAMESPACE)
        return sum(job["metadata"]["labels"].get("n") == self.number for job in found)


@pytest.fixture(scope="module")
def stack(make_cluster: Callable[..., AnyCluster]) -> Iterator[FaultyStack]:
    """The local cloud with faults between the functions and the cluster."""
    with Stack(lambda review: ScriptedCluster(make_cluster(review)), environment=NO_PREFLIGHT) as stack:
        metadata = {"name": "researcher-project", "namespace": NAMESPACE}
        quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": ROOMY}}
        stack.cluster.apply([quota])
        Case(stack, "list").ask()
        yield stack


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between attempts are tested elsewhere; here they would be most of the time."""
    monkeypatch.setattr(api_client, "PAUSE_SECONDS", 0.01)


def told(case: Case, counter: Counter, environment: Mapping[str, str]) -> Outcome:
    """What the caller reads in that *environment*, within the deadline."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        settings.cache_clear()
        eks_tokens.connect(settings()).token(FAR_DEADLINE)
        authenticate([value for _, value in case.headers], Deadline.after(60))  # the issuer's keys are there, too
        started = time.monotonic()
        reply = case.ask()
        over = time.monotonic() - started - settings().deadline_seconds
    settings.cache_clear()
    counter.measured("seconds over the deadline", round(max(over, 0.0), 2))
    assert over < SLACK
    is_told_when = "Retry-After" in dict(reply.headers)
    assert (
        is_told_when or reply.status not in (429, 503) or b"Report this" in reply.body or b"credentials" in reply.body
    )
    return reply.status, (reply.body.split(b'"code":"')[1].split(b'"')[0].decode() if reply.status >= 400 else None)


def assert_once(case: Case) -> None:
    """Without faults the same request is done, by the same process, and the Job is there once, or gone."""
    case.stack.cluster.proxy.meet("", 0)

    again = case.ask().status

    assert again == WELL[case.function] or (case.function == "delete" and again == 404)
    assert case.jobs() == {"submit": 1, "get": 1}.get(case.function, 0)
    assert case.stack.cluster.proxy.redirected == []


def named(fault: Fault) -> str:
    """What the test of *fault* is called."""
    return fault.name


@pytest.mark.parametrize("function", WELL)
@pytest.mark.parametrize("fault", FAULTS, ids=named)
def test_fault_that_lasts(stack: FaultyStack, counter: Counter, fault: Fault, function: str) -> None:
    """Is told, with a stable code and in time."""
    case = Case(stack, function)
    stack.cluster.proxy.meet(fault.name, FOR_EVER)

    outcome = told(case, counter, LITTLE if fault.outcome == LATE else {})

    assert outcome == fault.outcome
    assert_once(case)


@pytest.mark.parametrize("function", WELL)
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.is_tried_again], ids=named)
def test_fault_of_the_moment(stack: FaultyStack, counter: Counter, fault: Fault, function: str) -> None:
    """Is not shown."""
    case = Case(stack, function)
    stack.cluster.proxy.meet(fault.name, 1)

    outcome = told(case, counter, {})

    assert outcome == (WELL[function], None)
    assert_once(case)


def drip() -> Iterator[bytes]:
    """An answer that never ends, a byte at a time."""
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    while True:
        yield b" "


@pytest.fixture(params=["drip", "cut off", "no HTTP", "another's certificate", "no such host", "nobody listens"])
def elsewhere(request: pytest.FixtureRequest) -> Iterator[tuple[str, str, Outcome]]:
    """An endpoint where no cluster is, its authority, and what the caller reads."""
    authority = base64.b64encode(server_identity().ca_pem.encode()).decode()
    match request.param:
        case "another's certificate":
            yield "", authority, BUSY
        case "no such host":
            yield "https://cluster.invalid", authority, BUSY
        case "nobody listens":
            yield unused_url(), authority, BUSY
        case kind:
            pieces = {
                "drip": drip(),
                "cut off": [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"],
                "no HTTP": [b"SSH-2.0\r\n"],
            }
            with RawServer(pieces[kind], pause=0.05 if kind == "drip" else 0.0) as server:
                yield server.url, authority, LATE if kind == "drip" else BUSY


@pytest.mark.parametrize("function", WELL)
def test_no_cluster_there(
    stack: FaultyStack, counter: Counter, elsewhere: tuple[str, str, Outcome], function: str
) -> None:
    """Is told in time, and nothing of what was sent is anywhere."""
    case = Case(stack, function)
    url, authority, expected = elsewhere
    there = {"CLUSTER_ENDPOINT": url or stack.cluster.url, "CLUSTER_CA": authority}

    outcome = told(case, counter, there | (LITTLE if expected == LATE else {}))

    assert outcome == expected
    assert_once(case)
