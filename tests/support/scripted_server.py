"""What outside systems say, told by the test: replies by their path, raw bytes at their pace, and the time."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, cast
from urllib.parse import parse_qsl

from chalicelib.adapters.kubernetes.api_client import KubernetesApi
from chalicelib.deadline import Deadline
from infra.local.http_server import HOST, Handler, LoopbackServer
from infra.local.wire import Headers, HttpResponse
from tests.support.fakes import FakeTokens

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    from chalicelib.adapters.aws.eks_tokens import EksTokens

FAR_DEADLINE = Deadline(float("inf"))
"""For calls whose time does not matter."""


class Clock:
    """A clock that stands until the test moves it."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time."""
        return self.now


@dataclass(frozen=True)
class RecordedRequest:
    """One request as it arrived."""

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
        """The query's parameters, in their order."""
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    def values(self, name: str) -> list[str]:
        """The value of every header line called *name*."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


class ScriptedServer(Handler):
    """A server whose paths have replies: in their order, the last one for ever; a path without any is not found."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._lock = threading.Lock()
        self.forget()
        self._server = LoopbackServer(self, context=context)

    def __enter__(self) -> Self:
        """Listens already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes."""
        self._server.close()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return self._server.url

    def forget(self) -> None:
        """Forgets its replies, and what it was asked."""
        self.asked: list[RecordedRequest] = []
        self._replies: defaultdict[str, list[HttpResponse]] = defaultdict(lambda: [json_reply({}, 404)])

    def on(self, path: str, *replies: HttpResponse) -> None:
        """From now on *path* has these *replies*."""
        self._replies[path] = list(replies)

    def at(self, path: str) -> list[RecordedRequest]:
        """The requests for *path* so far."""
        return [asked for asked in self.asked if asked.path == path]

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """The path's next reply."""
        with self._lock:
            asked = RecordedRequest(method, target, headers, body)
            self.asked.append(asked)
            replies = self._replies[asked.path]
            return replies.pop(0) if len(replies) > 1 else replies[0]


class RawServer:
    """Answers every connection with its *pieces*, a *pause* after each, whatever was asked; then it hangs up."""

    def __init__(self, pieces: Iterable[bytes], pause: float = 0.0) -> None:
        self.connections = 0
        self.pieces = pieces
        self._pause = pause
        self._closed = threading.Event()
        self._listening = socket.create_server((HOST, 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """Listens already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes."""
        self._closed.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://{HOST}:{self._listening.getsockname()[1]}"

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # accept ends when the socket is shut down
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                with connection, contextlib.suppress(OSError):
                    self._speak(connection)

    def _speak(self, connection: socket.socket) -> None:
        connection.recv(65536)
        for piece in self.pieces:
            connection.sendall(piece)
            if self._closed.wait(self._pause):
                return


def json_reply(document: object, status: int = 200, headers: Headers | None = None) -> HttpResponse:
    """A reply of *document*."""
    return HttpResponse(status, [("Content-Type", "application/json"), *(headers or [])], json.dumps(document).encode())


def status_reply(code: int, message: str = "", reason: str = "", **details: object) -> HttpResponse:
    """A reply as the API server refuses: a Status of Kubernetes."""
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
    """The API server's answer to who asks what they may do."""
    return json_reply({"kind": "SelfSubjectRulesReview", "status": {"resourceRules": rules, "incomplete": False}}, 201)


def groups_reply(*groups: str) -> HttpResponse:
    """The same, for one who may impersonate *groups* and do nothing else."""
    return rules_reply({"verbs": ["impersonate"], "apiGroups": [""], "resources": ["groups"], "resourceNames": groups})


def api_at(url: str, tokens: FakeTokens | None = None, clock: Clock | None = None, ca: str = "") -> KubernetesApi:
    """The API server at *url*."""
    authority = base64.b64encode(ca.encode()).decode()
    return KubernetesApi(url, authority, cast("EksTokens", tokens or FakeTokens()), clock or Clock())


def unused_url() -> str:
    """Where nobody listens."""
    with socket.create_server((HOST, 0)) as listening:
        return f"http://{HOST}:{listening.getsockname()[1]}"
