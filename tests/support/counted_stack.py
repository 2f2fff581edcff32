"""A local cloud that counts the requests its functions send, and callers who create Jobs without being counted."""

from __future__ import annotations

import itertools
import json
import re
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from infra.local.aws import LocalAws
from infra.local.issuer import Application, Issuer
from infra.local.local_stack import GROUPS, PROJECTS, Stack, clear_caches
from infra.localcluster.cluster import EmbeddedCluster
from tests.cluster.fault_proxy import FaultProxy, Faulty
from tests.support.api import IMAGE, Api
from tests.support.round_trips import Gate
from tests.support.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from wsgiref.types import WSGIApplication

    from infra.local.wire import Headers, HttpResponse
    from tests.support.round_trips import Trip

ROUNDS = 8
"""Steps of the controllers that a Job needs to reach its final state."""
UPLOADED, SCHEDULED = "submit_upload", ("announce", "cleanup", "self_check")

_SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([a-z0-9-]+)/aws4_request")


class Request(NamedTuple):
    """A request for the Job `*`.

    *job* holds the fields of a submission that creates the Job first; without it the Job does not exist. *suspended*
    suspends the Job before the request.
    """

    method: str
    path: str
    body: object = None
    job: Mapping[str, Any] | None = None
    suspended: bool = False
    status: int = 200
    key: str | None = None
    """The Idempotency-Key, followed by the name."""


class Callers:
    """The callers of *stack*: inside the context they create Jobs, and send the one request that is counted."""

    def __init__(self, stack: CountedStack) -> None:
        self._stack = stack
        self._names = (f"trip-{number}" for number in itertools.count())
        self._callers = {name: Api(stack, bearer=stack.issuer.mint(name)) for name in GROUPS}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start without Jobs."""
        for caller in self._callers.values():
            self._open.enter_context(caller)
        return self

    def __exit__(self, *_: object) -> None:
        """Delete all Jobs, and close the connections."""
        for project in PROJECTS:
            for name in self._caller(project).names(project):
                self._caller(project).request("DELETE", f"/jobs/{project}/{name}").raise_for_status()
        self._run_controllers()
        self._open.close()

    def count_requests(self, row: str, request: Request, *, cold: bool) -> list[Trip]:
        """Return the requests that a process sends to answer *request*.

        Compare each with *row* as it arrives. *cold*: without cached keys and credentials.
        """
        name = next(self._names)
        if request.job is not None:
            self._submit("team-a", name, request.job)
        if request.suspended:
            self._callers["alice"].request("POST", f"/jobs/team-a/{name}/suspend").raise_for_status()
            self._run_controllers()
        url = self._stack.gateway.url + request.path.replace("*", name)
        body = json.loads(json.dumps(request.body).replace("*", name)) if request.body is not None else None
        with self._counting(row, cold=cold) as trips:
            headers = {"Idempotency-Key": request.key + name} if request.key else None
            response = self._callers["alice"].request(request.method, url, json=body, headers=headers)
        assert response.status_code == request.status, response.text
        return trips

    def count_requests_of_upload(self, row: str, *, cold: bool) -> list[Trip]:
        """Return the requests that an uploaded submission causes, each compared with *row* as it arrives."""
        name = next(self._names)
        document = json.dumps({"image": IMAGE, "name": name}).encode()
        record = Uploads(self._stack).put(f"submit/team-a/{name}.json", document)
        return self._invoke(row, UPLOADED, {"Records": [record]}, cold=cold)

    def count_requests_on_schedule(self, row: str, function: str, *, cold: bool) -> list[Trip]:
        """Return the requests of *function* when each Project has one finished Job, each compared with *row*."""
        name = next(self._names)
        for project in PROJECTS:
            self._submit(project, name, {})
        return self._invoke(row, function, {}, cold=cold)

    def _submit(self, project: str, name: str, fields: Mapping[str, Any]) -> None:
        self._caller(project).submit(project, name=name, **fields).raise_for_status()
        self._run_controllers()

    def _caller(self, project: str) -> Api:
        return next(api for name, api in self._callers.items() if GROUPS[name][0] in PROJECTS[project])

    def _invoke(self, row: str, function: str, event: object, *, cold: bool) -> list[Trip]:
        with self._counting(row, cold=cold) as trips:
            self._stack.functions.invoke(function, event)
        return trips

    @contextmanager
    def _counting(self, row: str, *, cold: bool) -> Iterator[list[Trip]]:
        if cold:
            clear_caches()
        with self._stack.gate.counting(row) as trips:
            yield trips

    def _run_controllers(self) -> None:
        for _ in range(ROUNDS):
            self._stack.cluster.cluster.step(datetime.now(UTC))


class CountedStack(Stack[Faulty[EmbeddedCluster]]):
    """A stack whose servers count a request before they answer it, and whose controllers run only on request."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.gate = Gate()
        super().__init__(lambda review: _CountedCluster(_SteppedCluster(review, 0.0), self.gate), 0, environment)
        self.aws = LocalAws(self.functions, self._guard)
        self.issuer = _CountedIssuer(self.applications, self.gate)

    def _guard(self, application: WSGIApplication) -> WSGIApplication:
        def guarded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI
            # Presigned requests lack this header; they come from the cluster, which verifies tokens, not from the
            # function.
            signed = _SERVICE.search(environ.get("HTTP_AUTHORIZATION", ""))
            if signed:
                self.gate.arrive(signed[1], f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            return application(environ, start_response)

        return guarded


class _SteppedCluster(EmbeddedCluster):
    """A cluster whose controllers do not run by themselves, so no write conflicts while requests are counted."""

    def _run(self) -> None:
        """Do nothing: the controllers run in `step`."""


class _CountedCluster(Faulty[EmbeddedCluster]):
    def __init__(self, cluster: EmbeddedCluster, gate: Gate) -> None:
        super().__init__(cluster, rate=0.0)
        self._gate = gate

    def make_proxy(self, url: str, ca_pem: str) -> FaultProxy:
        """Return the proxy that counts."""
        return _CountingProxy(url, ca_pem, self._gate.arrive)


class _CountingProxy(FaultProxy):
    def __init__(self, url: str, ca_pem: str, arrive: Callable[[str, str], None]) -> None:
        super().__init__(url, ca_pem, rate=0.0)
        self._arrive = arrive

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Forward the request once the gate admits it."""
        self._arrive("cluster", f"{method} {target}")
        return self.forward(method, target, headers, body)


class _CountedIssuer(Issuer):
    def __init__(self, applications: Mapping[str, Application], gate: Gate) -> None:
        super().__init__(applications)
        self._gate = gate

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Answer the request once the gate admits it."""
        self._gate.arrive("issuer", f"{method} {target}")
        return super().answer(method, target, headers, body)
