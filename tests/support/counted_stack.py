"""A local cloud that counts the requests of its functions, and its callers, who prepare Jobs without being counted."""

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
"""Of the controllers, after which a Job has come as far as it can."""
UPLOADED, SCHEDULED = "submit_upload", ("announce", "cleanup")

_SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([a-z0-9-]+)/aws4_request")


class Request(NamedTuple):
    """A request for the Job *, which was submitted with the fields *job* before, and suspended; or is not there."""

    method: str
    path: str
    body: object = None
    job: Mapping[str, Any] | None = None
    suspended: bool = False
    status: int = 200


class World:
    """The callers of *stack*, while it is entered: they prepare Jobs, and make the one request that is counted."""

    def __init__(self, stack: CountedStack) -> None:
        self._stack = stack
        self._names = (f"trip-{number}" for number in itertools.count())
        self._callers = {name: Api(stack, bearer=stack.issuer.mint(name)) for name in GROUPS}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Begin without Jobs."""
        for caller in self._callers.values():
            self._open.enter_context(caller)
        return self

    def __exit__(self, *_: object) -> None:
        """Delete all Jobs, and close the connections."""
        for project in PROJECTS:
            for name in self._caller(project).names(project):
                self._caller(project).ask("DELETE", f"/jobs/{project}/{name}").raise_for_status()
        self._run_controllers()
        self._open.close()

    def trips(self, row: str, request: Request, *, cold: bool) -> list[Trip]:
        """Return what a process, which may be *cold*, sends to answer *request*, compared with *row* as it arrives."""
        name = next(self._names)
        if request.job is not None:
            self._submit("team-a", name, request.job)
        if request.suspended:
            self._callers["alice"].ask("POST", f"/jobs/team-a/{name}/suspend").raise_for_status()
            self._run_controllers()
        url = self._stack.gateway.url + request.path.replace("*", name)
        body = json.loads(json.dumps(request.body).replace("*", name)) if request.body is not None else None
        with self._counting(row, cold=cold) as trips:
            answer = self._callers["alice"].ask(request.method, url, json=body)
        assert answer.status_code == request.status, answer.text
        return trips

    def trips_of_upload(self, row: str, *, cold: bool) -> list[Trip]:
        """Return what is sent when a submission was uploaded, compared with *row* as it arrives."""
        name = next(self._names)
        document = json.dumps({"image": IMAGE, "name": name}).encode()
        record = Uploads(self._stack).put(f"submit/team-a/{name}.json", document)
        return self._invoked(row, UPLOADED, {"Records": [record]}, cold=cold)

    def trips_on_schedule(self, row: str, function: str, *, cold: bool) -> list[Trip]:
        """Return what *function* sends when each Project has one finished Job, compared with *row* as it arrives."""
        name = next(self._names)
        for project in PROJECTS:
            self._submit(project, name, {})
        return self._invoked(row, function, {}, cold=cold)

    def _submit(self, project: str, name: str, fields: Mapping[str, Any]) -> None:
        self._caller(project).submit(project, name=name, **fields).raise_for_status()
        self._run_controllers()

    def _caller(self, project: str) -> Api:
        return next(api for name, api in self._callers.items() if GROUPS[name][0] in PROJECTS[project])

    def _invoked(self, row: str, function: str, event: object, *, cold: bool) -> list[Trip]:
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
    """Its servers count a request before they answer it, and its controllers run only when they are told to."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.gate = Gate()
        super().__init__(lambda review: _CountedCluster(_StandingCluster(review, 0.0), self.gate), 0, environment)
        self.aws = LocalAws(self.functions, self._guard)
        self.issuer = _CountedIssuer(self.applications, self.gate)

    def _guard(self, application: WSGIApplication) -> WSGIApplication:
        def guarded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI
            # A presigned request has no such header: by those the cluster checks tokens, not the function.
            signed = _SERVICE.search(environ.get("HTTP_AUTHORIZATION", ""))
            if signed:
                self.gate.arrive(signed[1], f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            return application(environ, start_response)

        return guarded


class _StandingCluster(EmbeddedCluster):
    """Nothing changes while requests are counted, so no write conflicts with another and is sent again."""

    def _run(self) -> None:
        """Leave the controllers to those who call `step`."""


class _CountedCluster(Faulty[EmbeddedCluster]):
    def __init__(self, cluster: EmbeddedCluster, gate: Gate) -> None:
        super().__init__(cluster, rate=0.0)
        self._gate = gate

    def make_proxy(self, url: str, ca_pem: str) -> FaultProxy:
        """The proxy that counts."""
        return _CountingProxy(url, ca_pem, self._gate.arrive)


class _CountingProxy(FaultProxy):
    def __init__(self, url: str, ca_pem: str, arrive: Callable[[str, str], None]) -> None:
        super().__init__(url, ca_pem, rate=0.0)
        self._arrive = arrive

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """The upstream's answer, once the gate lets the request pass."""
        self._arrive("cluster", f"{method} {target}")
        return self.forward(method, target, headers, body)


class _CountedIssuer(Issuer):
    def __init__(self, applications: Mapping[str, Application], gate: Gate) -> None:
        super().__init__(applications)
        self._gate = gate

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """The issuer's answer, once the gate lets the request pass."""
        self._gate.arrive("issuer", f"{method} {target}")
        return super().answer(method, target, headers, body)
