"""A proxy before an API server that keeps what was sent, so that the same can be sent again without the product."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from infra.local.local_cluster import SomeCluster
from tests.cluster.fault_proxy import FaultProxy, Faulty

if TYPE_CHECKING:
    from infra.local.wire import Headers, HttpResponse

_OWN_HEADERS = {"host", "content-length", "accept-encoding", "connection"}
"""Those that a connection makes itself."""


class Sent(NamedTuple):
    """A request to the API server."""

    method: str
    target: str
    headers: Headers
    body: str

    def named(self, old: str, new: str) -> Sent:
        """The same about the Job *new*."""
        return self._replace(target=self.target.replace(old, new), body=self.body.replace(old, new))


def sent_as(method: str, target: str, headers: Headers, body: bytes) -> Sent:
    """Return the request, without the headers that the next connection makes itself."""
    return Sent(method, target, [line for line in headers if line[0].lower() not in _OWN_HEADERS], body.decode())


class Recorder(FaultProxy):
    """Forwards everything."""

    def __init__(self, upstream: str, ca_pem: str) -> None:
        super().__init__(upstream, ca_pem, rate=0.0)
        self.sent: list[Sent] = []

    @property
    def bearer(self) -> str:
        """The token of the last request."""
        return next(value for name, value in self.sent[-1].headers if name.lower() == "authorization").split()[1]

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """The upstream's answer."""
        self.sent.append(sent_as(method, target, headers, body))
        return self.forward(method, target, headers, body)


class Recorded(Faulty[SomeCluster]):
    """A cluster that is reached through a Recorder."""

    proxy: Recorder

    def make_proxy(self, url: str, ca_pem: str) -> Recorder:
        """The proxy before the API server at *url*."""
        return Recorder(url, ca_pem)
