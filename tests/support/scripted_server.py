"""Scripted servers: a test defines their responses by path, or raw bytes with pauses; and a clock that a test sets."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeAlias, cast
from urllib.parse import parse_qsl

from chalicelib.adapters.kubernetes.api_client import KubernetesApi
from chalicelib.deadline import Deadline
from infra.local.http_server import HOST, Handler, LoopbackServer
from infra.local.wire import Headers, HttpResponse
from tests.support.fakes import FakeTokens

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

    from chalicelib.adapters.aws.eks_tokens import EksTokens

Reply: TypeAlias = "HttpResponse | Callable[[RecordedRequest], HttpResponse]"
FAR_DEADLINE = Deadline(float("inf"))
"""A deadline for calls whose duration does not matter."""


class Clock:
    """A clock that the test sets; its time does not advance."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@dataclass(frozen=True)
class RecordedRequest:
    """A request as it arrived."""

    method: str
    target: str
    headers: Headers
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> list[tuple[str, str]]:
        """The parameters of the query, in order."""
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    def values(self, name: str) -> list[str]:
        """Return the value of every header line called *name*."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


class ScriptedServer(Handler):
    """A server that sends the scripted replies of each path in order and repeats the last one; other paths are 404."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._lock = threading.Lock()
        self.forget()
        self._server = LoopbackServer(self, context=context)

    def __enter__(self) -> Self:
        """Return the server, which already listens."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server."""
        self._server.close()

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        return self._server.url

    def forget(self) -> None:
        """Forget the scripted replies and the recorded requests."""
        self.requests: list[RecordedRequest] = []
        self._replies: defaultdict[str, list[Reply]] = defaultdict(lambda: [json_reply({}, 404)])

    def on(self, path: str, *replies: Reply) -> None:
        """Script the *replies* of *path*: responses, or functions of the request."""
        self._replies[path] = list(replies)

    def at(self, path: str) -> list[RecordedRequest]:
        """Return the requests for *path* so far."""
        return [request for request in self.requests if request.path == path]

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Record the request and return the path's next reply."""
        with self._lock:
            request = RecordedRequest(method, target, headers, body)
            self.requests.append(request)
            replies = self._replies[request.path]
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
        return reply if isinstance(reply, HttpResponse) else reply(request)


class RawServer:
    """A server that sends its *pieces* to every connection, with a *pause* after each, then closes the connection."""

    def __init__(self, pieces: Iterable[bytes], pause: float = 0.0) -> None:
        self.connections = 0
        self.pieces = pieces
        self._pause = pause
        self._closed = threading.Event()
        self._listening = socket.create_server((HOST, 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """Return the server, which already listens."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server."""
        self._closed.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        return f"http://{HOST}:{self._listening.getsockname()[1]}"

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # accept raises when the socket is shut down
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                with connection, contextlib.suppress(OSError):
                    self._send_pieces(connection)

    def _send_pieces(self, connection: socket.socket) -> None:
        connection.recv(65536)
        for piece in self.pieces:
            connection.sendall(piece)
            if self._closed.wait(self._pause):
                return


def json_reply(document: object, status: int = 200, headers: Headers | None = None) -> HttpResponse:
    """Return a reply with *document* as its JSON body."""
    return HttpResponse(status, [("Content-Type", "application/json"), *(headers or [])], json.dumps(document).encode())


def status_reply(code: int, message: str = "", reason: str = "", **details: object) -> HttpResponse:
    """Return an error reply of the API server: a Kubernetes Status."""
    document = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "message": message,
        "reason": reason,
    }
    return json_reply({**document, **({"details": details} if details else {})}, code)


def rules_reply(*rules: dict[str, object]) -> HttpResponse:
    """Return the API server's reply to a SelfSubjectRulesReview."""
    return json_reply({"kind": "SelfSubjectRulesReview", "status": {"resourceRules": rules, "incomplete": False}}, 201)


def groups_reply(*groups: str) -> HttpResponse:
    """Return the SelfSubjectRulesReview of a caller who may impersonate *groups* and do nothing else."""
    return rules_reply({"verbs": ["impersonate"], "apiGroups": [""], "resources": ["groups"], "resourceNames": groups})


def api_at(url: str, tokens: FakeTokens | None = None, clock: Clock | None = None, ca: str = "") -> KubernetesApi:
    """Return a client of the API server at *url*."""
    return KubernetesApi(url, ca, cast("EksTokens", tokens or FakeTokens()), clock or Clock())


def unused_url() -> str:
    """Return a URL that nothing listens on."""
    with socket.create_server((HOST, 0)) as listening:
        return f"http://{HOST}:{listening.getsockname()[1]}"
