"""Faults between the functions and the cluster, one at a time and as often as the test says."""

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
ELSEWHERE = "/elsewhere"
FOR_EVER = 1_000_000
OWN_REVIEW = "selfsubjectrulesreviews"
"""What the API asks for itself, before the caller's calls: without faults, so that they meet what is attacked."""


class ScriptedProxy(FaultProxy):
    """Forwards, but for the calls that meet *fault*, of which the next *left* do."""

    def __init__(self, upstream: str, ca_pem: str) -> None:
        super().__init__(upstream, ca_pem, rate=0.0)
        self.fault = ""
        self.left = 0
        self.redirected: list[Headers] = []
        self._over = threading.Event()

    def __exit__(self, *_: object) -> None:
        """Lets those go that hang, and stops listening."""
        self._over.set()
        super().__exit__(*_)

    def meet(self, fault: str, times: int) -> None:
        """The next calls meet *fault*, so many *times*."""
        self.fault, self.left = fault, times

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """The upstream's answer, or the fault's."""
        if target == ELSEWHERE:
            self.redirected.append(headers)
        if OWN_REVIEW in target or not self._is_met():
            return self.forward(method, target, headers, body)
        return self._faulty(lambda: self.forward(method, target, headers, body))

    def _is_met(self) -> bool:
        with self._lock:
            self.left -= 1
            return self.left >= 0

    def _faulty(self, carry_out: Callable[[], HttpResponse]) -> HttpResponse:
        match self.fault.split(", "):
            case ["429", seconds]:
                return HttpResponse(429, [*TEXT, ("Retry-After", seconds)], b"Too many requests")
            case [("429" | "500" | "503" | "401") as status]:
                return HttpResponse(int(status), TEXT, b"Sorry")
            case ["500", "after"]:
                carry_out()
                return HttpResponse(500, TEXT, b"Sorry")
            case ["307"]:
                return HttpResponse(307, [("Location", self.url + ELSEWHERE)])
            case ["truncated"]:
                whole = carry_out()
                return HttpResponse(whole.status, whole.headers, whole.body[: len(whole.body) // 2])
            case ["hang", *after] | ["reset", *after]:
                if after:
                    carry_out()
                if self.fault.startswith("hang"):
                    self._over.wait(timeout=60)
                raise ConnectionResetError
        raise LookupError(self.fault)


class ScriptedCluster(Faulty[SomeCluster]):
    """*cluster* behind a ScriptedProxy."""

    proxy: ScriptedProxy

    def __init__(self, cluster: SomeCluster) -> None:
        super().__init__(cluster, rate=0.0)

    def make_proxy(self, url: str, ca_pem: str) -> ScriptedProxy:
        """The proxy before the API server at *url*."""
        return ScriptedProxy(url, ca_pem)
