"""A proxy in front of an API server that loses, delays and rejects requests, before or after they are handled."""

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
"""Longer than the read timeout of the API."""

_OWN_HEADERS = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding"}


class FaultProxy(Handler):
    """Forwards to *upstream* inside the context, each request after *delay* seconds, or carries out a fault instead.

    *rate* is the probability of a fault, chosen from `faults`; both may change.
    """

    def __init__(self, upstream: str, ca_pem: str, rate: float, delay: float = 0.0) -> None:
        self.fault_counts: Counter[str] = Counter()
        """The number of requests by fault; "none" for those without."""
        self._upstream = upstream
        self.rate = rate
        self.faults: tuple[str, ...] = FAULTS
        self._delay = delay
        self._random = random.Random(0)  # noqa: S311 - repeatable on purpose
        self._lock = threading.Lock()
        # Each thread borrows a connection; nothing is retried here.
        self._pool = urllib3.PoolManager(
            ca_cert_data=ca_pem, maxsize=128, retries=False, timeout=urllib3.Timeout(connect=2, read=30)
        )

    def __enter__(self) -> Self:
        """Start listening."""
        identity = server_identity()
        self.ca_pem = identity.ca_pem
        self._server = LoopbackServer(self, context=identity.context)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._server.close()
        self._pool.clear()

    @property
    def url(self) -> str:
        """The URL of the proxy."""
        return self._server.url

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Forward the request or carry out a fault; ConnectionResetError closes the connection without a response."""
        time.sleep(self._delay)
        match self._draw_fault():
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
        """Forward the request and return the upstream's response."""
        lines = urllib3.HTTPHeaderDict()
        for name, value in headers:
            if name.lower() not in _OWN_HEADERS:
                lines.add(name, value)
        response = self._pool.request(method, self._upstream + target, body=body, headers=lines, redirect=False)
        forwarded = [(name, value) for name, value in response.headers.items() if name.lower() not in _OWN_HEADERS]
        return HttpResponse(response.status, forwarded, response.data)

    def _draw_fault(self) -> str:
        with self._lock:
            # In rotation, so that every fault occurs within a few hundred requests.
            turn = self.fault_counts.total() - self.fault_counts["none"]
            fault = self.faults[turn % len(self.faults)] if self._random.random() < self.rate else "none"
            self.fault_counts[fault] += 1
            return fault


class Faulty(Generic[SomeCluster]):
    """*cluster* behind a FaultProxy for all clients but its administrator; a context manager."""

    def __init__(self, cluster: SomeCluster, rate: float, delay: float = 0.0) -> None:
        self.cluster = cluster
        self.name = cluster.name
        self._faults = (rate, delay)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start the cluster and the proxy."""
        with ExitStack() as stack:
            cluster = stack.enter_context(self.cluster)
            self.proxy = stack.enter_context(self.make_proxy(cluster.url, cluster.ca_pem))
            self._open = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the cluster and the proxy."""
        self._open.close()

    def make_proxy(self, url: str, ca_pem: str) -> FaultProxy:
        """Return the proxy in front of the API server at *url*."""
        return FaultProxy(url, ca_pem, *self._faults)

    @property
    def url(self) -> str:
        """The URL of the proxy."""
        return self.proxy.url

    @property
    def ca_pem(self) -> str:
        """The certificate authority of the proxy."""
        return self.proxy.ca_pem

    def apply(self, documents: Iterable[Document]) -> None:
        """Create or change objects, without faults."""
        self.cluster.apply(documents)
