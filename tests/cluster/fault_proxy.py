"""A proxy before an API server that loses, delays and refuses requests: before the server did its work, or after."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Generic, Self

import urllib3

from infra.local.http_server import Handler, LoopbackServer
from infra.local.local_cluster import SomeCluster
from infra.local.wire import HttpResponse
from infra.localcluster.certificates import server_identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.local.wire import Headers
    from infra.localcluster.kinds import Document

FAULTS = ("reset before", "reset after", "throttled", "unavailable", "hang")
HANG_SECONDS = 6.0
"""Longer than the API waits for an answer."""

_OWN_HEADERS = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding"}


class FaultProxy(Handler):
    """Forwards to *upstream* while it is entered, each request after *delay* seconds, or with a fault instead.

    *rate* is the probability of a fault, drawn from `faults`; both may change.
    """

    def __init__(self, upstream: str, ca_pem: str, rate: float, delay: float = 0.0) -> None:
        self.met: Counter[str] = Counter()
        """How often each fault was met; "none" for those without."""
        self._upstream = upstream
        self.rate = rate
        self.faults: tuple[str, ...] = FAULTS
        self._delay = delay
        self._random = random.Random(0)  # noqa: S311 - repeatable on purpose
        self._lock = threading.Lock()
        # Each thread takes a connection and gives it back; nothing is tried twice here.
        self._pool = urllib3.PoolManager(
            ca_cert_data=ca_pem, maxsize=128, retries=False, timeout=urllib3.Timeout(connect=2, read=30)
        )

    def __enter__(self) -> Self:
        """Starts to listen."""
        identity = server_identity()
        self.ca_pem = identity.ca_pem
        self._server = LoopbackServer(self, context=identity.context)
        return self

    def __exit__(self, *_: object) -> None:
        """Stops listening."""
        self._server.close()
        self._pool.clear()

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """The upstream's answer, or a fault's; ConnectionResetError ends the connection without one."""
        time.sleep(self._delay)
        match self._drawn():
            case "reset before":
                raise ConnectionResetError
            case "reset after":
                self.forward(method, target, headers, body)
                raise ConnectionResetError
            case "throttled":
                return HttpResponse(429, [("Retry-After", "1"), ("Content-Type", "text/plain")], b"Too many requests")
            case "unavailable":
                return HttpResponse(503, [("Content-Type", "text/plain")], b"Service Unavailable")
            case "hang":
                time.sleep(HANG_SECONDS)
        return self.forward(method, target, headers, body)

    def forward(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """The upstream's answer."""
        lines = urllib3.HTTPHeaderDict()
        for name, value in headers:
            if name.lower() not in _OWN_HEADERS:
                lines.add(name, value)
        answer = self._pool.request(method, self._upstream + target, body=body, headers=lines, redirect=False)
        kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _OWN_HEADERS]
        return HttpResponse(answer.status, kept, answer.data)

    def _drawn(self) -> str:
        with self._lock:
            # Each in its turn, so that a few hundred requests meet all of them.
            turn = self.met.total() - self.met["none"]
            fault = self.faults[turn % len(self.faults)] if self._random.random() < self.rate else "none"
            self.met[fault] += 1
            return fault


class Faulty(Generic[SomeCluster]):
    """*cluster*, reached through a FaultProxy by everybody but its administrator, while it is entered."""

    def __init__(self, cluster: SomeCluster, rate: float, delay: float = 0.0) -> None:
        self.cluster = cluster
        self.name = cluster.name
        self._faults = (rate, delay)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Starts both."""
        with ExitStack() as started:
            cluster = started.enter_context(self.cluster)
            self.proxy = started.enter_context(self.make_proxy(cluster.url, cluster.ca_pem))
            self._open = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops both."""
        self._open.close()

    def make_proxy(self, url: str, ca_pem: str) -> FaultProxy:
        """The proxy before the API server at *url*."""
        return FaultProxy(url, ca_pem, *self._faults)

    @property
    def url(self) -> str:
        """Where the proxy listens."""
        return self.proxy.url

    @property
    def ca_pem(self) -> str:
        """The authority of the proxy's certificate."""
        return self.proxy.ca_pem

    def apply(self, documents: Iterable[Document]) -> None:
        """Creates or changes objects, without faults."""
        self.cluster.apply(documents)
