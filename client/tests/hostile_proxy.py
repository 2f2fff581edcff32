"""A proxy on loopback that treats each request as the next word of its plan says."""

from __future__ import annotations

import http.client
import itertools
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from http_server import ServingInAThread

if TYPE_CHECKING:
    from collections.abc import Iterable

PLANS = {
    "pass": "Answer.",
    "refuse": "Close the connection before the request is forwarded.",
    "lose": "Forward the request, and close the connection in place of the response.",
    "truncate": "Send half of the response.",
    "double": "Forward the request twice, and send the second response.",
    "busy": "Answer 503 with Retry-After, and forward nothing.",
    "gateway": "Forward the request, and answer 502.",
}


class HostileProxy(ServingInAThread):
    """Forwards to the server at *url*, and cuts each connection that takes longer than *patience*."""

    def __init__(self, url: str, plan: Iterable[str], patience: float = 30.0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(url)
        self.plan = itertools.cycle(plan)
        self.patience = patience
        self.seen: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        """The URL of the API behind this proxy."""
        return f"http://127.0.0.1:{self.server_port}{self.upstream.path}"


class _Handler(BaseHTTPRequestHandler):
    server: HostileProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        plan = next(self.server.plan)
        self.server.seen.append((self.command, plan))
        self.close_connection = True
        if plan == "busy":
            self._answer(503, [("Retry-After", "0")], b"")
        elif plan != "refuse":
            try:
                self._forwarded(plan, body)
            except TimeoutError:
                return  # as a proxy that cuts long requests

    def _forwarded(self, plan: str, body: bytes) -> None:
        status, headers, content = self._forward(body)
        if plan == "double":
            status, headers, content = self._forward(body)
        if plan == "gateway":
            self._answer(502, [], b"<html>bad gateway</html>")
        elif plan == "truncate":
            self._answer(status, headers, content, sent=len(content) // 2)
        elif plan != "lose":
            self._answer(status, headers, content)

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = self.server.upstream
        connection = http.client.HTTPConnection(upstream.hostname or "", upstream.port, timeout=self.server.patience)
        try:
            connection.request(self.command, self.path, body=body or None, headers=dict(self.headers.items()))
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, sent: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in {"content-length", "connection", "date", "server", "transfer-encoding"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content[:sent])

    do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815 - the names of http.server

    def log_message(self, *_: Any) -> None:  # noqa: ANN401 - as in the base class
        """Log nothing."""
