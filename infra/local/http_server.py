"""A threaded HTTP/1.1 server on loopback: it turns requests into calls of one function, and knows no more."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol, cast

from infra.local.wire import HttpConnection, HttpResponse, HttpSyntaxError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from infra.local.wire import Headers

HOST = "127.0.0.1"
IDLE_SECONDS = 75.0


class Handler(Protocol):
    """What a server serves."""

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """The answer to one request; called by many threads at once."""

    def refuse(self, error: HttpSyntaxError) -> HttpResponse:
        """The answer to bytes that are no request."""
        return HttpResponse(400, [], error.detail.encode())


class LoopbackServer:
    """Serves one site, a thread for each connection, until it is closed."""

    def __init__(self, site: Handler, port: int = 0, context: ssl.SSLContext | None = None) -> None:
        """Listens at once, over TLS when there is a *context*; OSError when *port* is taken."""
        self._scheme = "https" if context else "http"
        self._server = _Server(site, port, context)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"{self._scheme}://{HOST}:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stops listening and ends the open connections."""
        self._server.shutdown()
        self._server.server_close()
        self._server.end_connections()
        self._thread.join()


class LoopbackHandler(ABC):
    """A site that serves itself from `start` to `close`, and may be started again."""

    _server: LoopbackServer | None = None

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end; RuntimeError while it is not started."""
        if self._server is None:
            message = f"The {type(self).__name__} has not been started."
            raise RuntimeError(message)
        return self._server.url

    def start(self, port: int = 0) -> None:
        """Listens on loopback; OSError when *port* is taken."""
        self._server = LoopbackServer(self, port)

    def close(self) -> None:
        """Stops listening."""
        if self._server is not None:
            self._server.close()
            self._server = None

    @abstractmethod
    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """The answer to one request; called by many threads at once."""

    @abstractmethod
    def refuse(self, error: HttpSyntaxError) -> HttpResponse:
        """The answer to bytes that are no request."""


class _Connection(socketserver.BaseRequestHandler):
    """One client's connection: requests, one after the other, until either side has enough."""

    def handle(self) -> None:
        """Answers requests until the connection ends."""
        server = cast("_Server", self.server)
        # Else every answer waits 40 ms for the client's delayed acknowledgement.
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request.settimeout(IDLE_SECONDS)
        wire = HttpConnection(self.request)
        with server.tracked(self.request), contextlib.suppress(OSError):
            while _serve_one(wire, server.site):
                pass


def _serve_one(wire: HttpConnection, site: Handler) -> bool:
    try:
        request = wire.read()
    except HttpSyntaxError as error:
        return wire.write(site.refuse(error), last=True)
    return request is not None and wire.write(site.answer(*request))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, site: Handler, port: int, context: ssl.SSLContext | None) -> None:
        self.site = site
        self._context = context
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        super().__init__((HOST, port), _Connection)

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next connection. Its thread shakes hands, so that a slow client holds up nobody else."""
        connection, address = super().get_request()
        if self._context is not None:
            connection = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    @contextlib.contextmanager
    def tracked(self, connection: socket.socket) -> Iterator[None]:
        """Counts *connection* among the open ones."""
        with self._lock:
            self._open.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connection)
                self._idle.notify_all()

    def end_connections(self) -> None:
        """Ends every open connection and waits a moment for their threads."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._idle.wait_for(lambda: not self._open, timeout=2)
