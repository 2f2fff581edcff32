"""A proxy in front of an API server that records the requests, so that they can be sent again without the product."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from infra.local.local_cluster import SomeCluster
from tests.cluster.fault_proxy import FaultProxy, Faulty

if TYPE_CHECKING:
    from infra.local.wire import Headers, HttpResponse

_OWN_HEADERS = {"host", "content-length", "accept-encoding", "connection"}
"""Headers that each connection sets itself."""


class RecordedRequest(NamedTuple):
    """A request to the API server."""

    method: str
    target: str
    headers: Headers
    body: str

    def named(self, old: str, new: str) -> RecordedRequest:
        """Return the same request for the Job *new*."""
        return self._replace(target=self.target.replace(old, new), body=self.body.replace(old, new))


def recorded_request(method: str, target: str, headers: Headers, body: bytes) -> RecordedRequest:
    """Return the request without the headers that the next connection sets itself."""
    return RecordedRequest(
        method, target, [line for line in headers if line[0].lower() not in _OWN_HEADERS], body.decode()
    )


class Recorder(FaultProxy):
    """Forwards and records everything."""

    def __init__(self, upstream: str, ca_pem: str) -> None:
        super().__init__(upstream, ca_pem, rate=0.0)
        self.requests: list[RecordedRequest] = []

    @property
    def bearer(self) -> str:
        """The token of the last request."""
        return next(value for name, value in self.requests[-1].headers if name.lower() == "authorization").split()[1]

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Record the request, and return the upstream's response."""
        self.requests.append(recorded_request(method, target, headers, body))
        return self.forward(method, target, headers, body)


class RecordedCluster(Faulty[SomeCluster]):
    """A cluster behind a Recorder."""

    proxy: Recorder

    def make_proxy(self, url: str, ca_pem: str) -> Recorder:
        """Return the proxy in front of the API server at *url*."""
        return Recorder(url, ca_pem)
