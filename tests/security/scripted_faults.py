"""Faults between the functions and the cluster, one kind at a time, as scripted by a test."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from infra.local.local_cluster import SomeCluster
from infra.local.wire import HttpResponse
from tests.cluster.fault_proxy import FaultProxy, Faulty

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.local.wire import Headers

TEXT = [("Content-Type", "text/plain")]
REDIRECT_TARGET = "/redirected"
ALWAYS = 1_000_000
API_REVIEW = "selfsubjectrulesreviews"
"""The API's own review, before the caller's requests; it has no faults, so that those requests have them."""


class ScriptedProxy(FaultProxy):
    """A proxy whose next *left* requests have the *fault*."""

    def __init__(self, upstream: str, ca_pem: str) -> None:
        super().__init__(upstream, ca_pem, rate=0.0)
        self.fault = ""
        self.left = 0
        self.redirected: list[Headers] = []
        self._closed = threading.Event()

    def __exit__(self, *_: object) -> None:
        """Release the requests that hang, and stop listening."""
        self._closed.set()
        super().__exit__(*_)

    def inject(self, fault: str, times: int) -> None:
        """Give the next *times* requests the *fault*."""
        self.fault, self.left = fault, times

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Forward the request, or carry out the fault."""
        if target == REDIRECT_TARGET:
            self.redirected.append(headers)
        if API_REVIEW in target or not self._take_fault():
            return self.forward(method, target, headers, body)
        return self._inject(lambda: self.forward(method, target, headers, body))

    def _take_fault(self) -> bool:
        with self._lock:
            self.left -= 1
            return self.left >= 0

    def _inject(self, forward: Callable[[], HttpResponse]) -> HttpResponse:
        match self.fault.split(", "):
            case ["429", seconds]:
                return HttpResponse(429, [*TEXT, ("Retry-After", seconds)], b"Too many requests")
            case [("429" | "500" | "503" | "401") as status]:
                return HttpResponse(int(status), TEXT, b"Sorry")
            case ["500", "after"]:
                forward()
                return HttpResponse(500, TEXT, b"Sorry")
            case ["307"]:
                return HttpResponse(307, [("Location", self.url + REDIRECT_TARGET)])
            case ["truncated"]:
                response = forward()
                return HttpResponse(response.status, response.headers, response.body[: len(response.body) // 2])
            case ["hang", *after] | ["reset", *after]:
                if after:
                    forward()
                if self.fault.startswith("hang"):
                    self._closed.wait(timeout=60)
                raise ConnectionResetError
        raise LookupError(self.fault)


class ScriptedCluster(Faulty[SomeCluster]):
    """A cluster behind a ScriptedProxy."""

    proxy: ScriptedProxy

    def __init__(self, cluster: SomeCluster) -> None:
        super().__init__(cluster, rate=0.0)

    def make_proxy(self, url: str, ca_pem: str) -> ScriptedProxy:
        """Return the proxy in front of the API server at *url*."""
        return ScriptedProxy(url, ca_pem)
