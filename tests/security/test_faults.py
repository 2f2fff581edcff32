"""A cluster that fails in one way at a time: the error, its time limit, and no duplicate Job."""

from __future__ import annotations

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
from tests.product.test_faults import NAMESPACE, NO_PREFLIGHT, QUOTA
from tests.security.hostile_tokens import bearer
from tests.security.scripted_faults import ALWAYS, ScriptedCluster
from tests.security.sending import send_raw
from tests.support.configuration import configuration_file
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

SHORT_DEADLINE = {"DEADLINE_SECONDS": "1.0"}
"""A short deadline for a cluster that does not respond; other faults have enough time on a busy machine."""
SLACK = 20.0
"""The most seconds beyond the deadline, with a margin for slow machines; the table has the measured value."""
NUMBERS = count()
SUCCESS = {"submit": 201, "list": 200, "get": 200, "delete": 200, "projects": 200}

Outcome = tuple[int, str | None]
BUSY: Outcome = (503, "cluster_unavailable")
LATE: Outcome = (504, "deadline_exceeded")
UNAUTHORIZED: Outcome = (503, "credentials_unavailable")


class Fault(NamedTuple):
    """A fault, the response if it persists, and whether the API retries a single one."""

    name: str
    outcome: Outcome
    is_retried: bool = True


FAULTS = [
    Fault("429", BUSY),
    Fault("429, 60", BUSY, is_retried=False),
    Fault("503", BUSY),
    Fault("500", BUSY),
    Fault("500, after", BUSY),
    Fault("reset", BUSY),
    Fault("reset, after", BUSY),
    Fault("hang", LATE, is_retried=False),
    Fault("hang, after", LATE, is_retried=False),
    Fault("truncated", BUSY, is_retried=False),
    Fault("401", UNAUTHORIZED),
    Fault("307", BUSY, is_retried=False),
]


class Case:
    """A request of one function for a new Job, in a new process of the functions."""

    def __init__(self, stack: FaultyStack, function: str) -> None:
        self.stack = stack
        self.function = function
        self.number = f"{next(NUMBERS)}"
        self.headers = bearer(stack.issuer.mint("alice"))
        cluster_adapter.connect.cache_clear()
        stack.cluster.proxy.inject("", 0)
        if function in ("get", "delete"):
            self.send("submit")

    def send(self, function: str = "") -> HttpResponse:
        """Send the request, or that of another *function* for the same Job, and return the response."""
        document = {"project": "team-a", "name": f"job-{self.number}", "image": "x", "labels": {"n": self.number}}
        key = ("Idempotency-Key", self.number)
        match function or self.function:
            case "submit":
                return send_raw(self.stack, "POST", "/jobs", [*self.headers, key], document)
            case "list":
                return send_raw(self.stack, "GET", "/jobs/team-a?limit=5", self.headers)
            case "projects":
                return send_raw(self.stack, "GET", "/projects", self.headers)
            case method:
                verb = "GET" if method == "get" else "DELETE"
                return send_raw(self.stack, verb, f"/jobs/team-a/job-{self.number}", self.headers)

    def jobs(self) -> int:
        """Return the number of Jobs that the request has created."""
        found = self.stack.cluster.cluster.find(JOB, NAMESPACE)
        return sum(job["metadata"]["labels"].get("n") == self.number for job in found)


@pytest.fixture(scope="module")
def stack(make_cluster: Callable[..., AnyCluster]) -> Iterator[FaultyStack]:
    """Start the local cloud, with faults between the functions and the cluster."""
    with Stack(lambda review: ScriptedCluster(make_cluster(review)), environment=NO_PREFLIGHT) as stack:
        metadata = {"name": "researcher-project", "namespace": NAMESPACE}
        quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": QUOTA}}
        stack.cluster.apply([quota])
        Case(stack, "list").send()
        yield stack


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the retry delays, which other tests cover."""
    monkeypatch.setattr(api_client, "PAUSE_SECONDS", 0.01)


def outcome_of(case: Case, counter: Counter, environment: Mapping[str, str]) -> Outcome:
    """Send the request with *environment*, check that it respects the deadline, and return status and code."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        settings.cache_clear()
        eks_tokens.connect(settings()).token(FAR_DEADLINE)
        authenticate([value for _, value in case.headers], Deadline.after(60))  # fills the cache of the issuer's keys
        started = time.monotonic()
        response = case.send()
        over = time.monotonic() - started - settings().deadline_seconds
    settings.cache_clear()
    counter.measure("seconds over the deadline", round(max(over, 0.0), 2))
    assert over < SLACK
    has_retry_after = "Retry-After" in dict(response.headers)
    assert (
        has_retry_after
        or response.status not in (429, 503)
        or b"Report this" in response.body
        or b"credentials" in response.body
    )
    return response.status, (
        response.body.split(b'"code":"')[1].split(b'"')[0].decode() if response.status >= 400 else None
    )


def assert_once(case: Case) -> None:
    """Repeat the request without faults: it succeeds in the same process, and the Job exists once, or is deleted."""
    case.stack.cluster.proxy.inject("", 0)

    status = case.send().status

    assert status == SUCCESS[case.function] or (case.function == "delete" and status == 404)
    assert case.jobs() == {"submit": 1, "get": 1}.get(case.function, 0)
    assert case.stack.cluster.proxy.redirected == []


def fault_name(fault: Fault) -> str:
    """Return the test id of *fault*."""
    return fault.name


@pytest.mark.parametrize("function", SUCCESS)
@pytest.mark.parametrize("fault", FAULTS, ids=fault_name)
def test_lasting_fault(stack: FaultyStack, counter: Counter, fault: Fault, function: str) -> None:
    """A lasting fault is reported with a stable code within the deadline."""
    case = Case(stack, function)
    stack.cluster.proxy.inject(fault.name, ALWAYS)

    outcome = outcome_of(case, counter, SHORT_DEADLINE if fault.outcome == LATE else {})

    assert outcome == fault.outcome
    assert_once(case)


@pytest.mark.parametrize("function", SUCCESS)
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.is_retried], ids=fault_name)
def test_single_fault(stack: FaultyStack, counter: Counter, fault: Fault, function: str) -> None:
    """A single fault is retried and not visible to the caller."""
    case = Case(stack, function)
    stack.cluster.proxy.inject(fault.name, 1)

    outcome = outcome_of(case, counter, {})

    assert outcome == (SUCCESS[function], None)
    assert_once(case)


def drip() -> Iterator[bytes]:
    """Yield a response that never ends, one byte at a time."""
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    while True:
        yield b" "


@pytest.fixture(params=["drip", "cut off", "not HTTP", "another certificate", "no such host", "connection refused"])
def wrong_endpoint(request: pytest.FixtureRequest) -> Iterator[tuple[str, str, Outcome]]:
    """Yield an endpoint that is not the cluster, its certificate authority, and the expected response."""
    authority = server_identity().ca_pem
    match request.param:
        case "another certificate":
            yield "", authority, BUSY
        case "no such host":
            yield "https://cluster.invalid", authority, BUSY
        case "connection refused":
            yield unused_url(), authority, BUSY
        case kind:
            pieces = {
                "drip": drip(),
                "cut off": [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"],
                "not HTTP": [b"SSH-2.0\r\n"],
            }
            with RawServer(pieces[kind], pause=0.05 if kind == "drip" else 0.0) as server:
                yield server.url, authority, LATE if kind == "drip" else BUSY


@pytest.mark.parametrize("function", SUCCESS)
def test_endpoint_is_not_the_cluster(
    stack: FaultyStack, counter: Counter, wrong_endpoint: tuple[str, str, Outcome], function: str
) -> None:
    """A wrong endpoint is reported in time, and no request reaches another server."""
    case = Case(stack, function)
    url, authority, expected = wrong_endpoint
    configured = configuration_file(**stack.configuration | {"clusterAuthorities": [authority]})
    environment = {"CLUSTER_ENDPOINT": url or stack.cluster.url, "CONFIGURATION_FILE": configured}

    outcome = outcome_of(case, counter, environment | (SHORT_DEADLINE if expected == LATE else {}))

    assert outcome == expected
    assert_once(case)
