"""A server with answers that a test chooses."""

from __future__ import annotations

import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from researcher.tokens import Token
from researcher.transport import Transport

if TYPE_CHECKING:
    from infra.localcluster.certificates import ServerIdentity

Answer = tuple[int, dict[str, str], bytes]
OK: Answer = (200, {}, b'{"a": 1}')


class ServingInAThread(ThreadingHTTPServer):
    """A server that serves while its context is active."""

    daemon_threads = True

    def __enter__(self) -> Self:
        """Serve in a thread."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.shutdown()
        self.server_close()


class Server(ServingInAThread):
    """Gives each answer once, and the last one again and again; with an identity, over TLS."""

    def __init__(self, *answers: Answer, identity: ServerIdentity | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.seen: list[dict[str, str]] = []
        if identity is not None:
            self.socket = identity.context.wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        """The URL, without TLS."""
        return f"http://127.0.0.1:{self.server_port}/api"

    def handle_error(self, *_: object) -> None:
        """Ignore clients that do not trust the certificate."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def _respond(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
        answers = self.server.answers
        status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        """Connect to the server behind this proxy, whatever host is named."""
        self.server.seen.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
        with socket.create_connection(("127.0.0.1", int(self.path.rpartition(":")[2]))) as upstream:
            self.send_response(200)
            self.end_headers()
            pair = {self.connection: upstream, upstream: self.connection}
            while True:
                for source in select.select(list(pair), [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    pair[source].sendall(data)

    do_GET = do_POST = do_DELETE = _respond  # noqa: N815 - the names of http.server

    def log_message(self, *_: Any) -> None:  # noqa: ANN401 - as in the base class
        """Log nothing."""


def transport(url: str, **options: Any) -> Transport:  # noqa: ANN401 - those of Transport
    """Return a transport that does not sleep."""
    return Transport(url, Token("secret-token"), sleep=lambda _: None, **options)
