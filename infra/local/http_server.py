"""A threaded HTTP/1.1 server on loopback that passes each request to a handler."""

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
    """A request handler of a server."""

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Respond to one request; called by several threads at once."""

    def refuse(self, error: HttpSyntaxError) -> HttpResponse:
        """Respond to bytes that are not a valid HTTP request."""
        return HttpResponse(400, [], error.detail.encode())


class LoopbackServer:
    """Serves one handler, with a thread for each connection, until it is closed."""

    def __init__(
        self, handler: Handler, port: int = 0, context: ssl.SSLContext | None = None, *, accept: bool = True
    ) -> None:
        """Listen at once, with TLS if there is a *context*; raise OSError if *port* is taken.

        Without *accept*, the port is reserved, and refuses connections until `accept` is called.
        """
        self._scheme = "https" if context else "http"
        self._server = _Server(handler, port, context)
        self._thread: threading.Thread | None = None
        if accept:
            self.accept()

    @property
    def url(self) -> str:
        """The URL of the server, without a trailing slash."""
        return f"{self._scheme}://{HOST}:{self._server.server_address[1]}"

    def accept(self) -> None:
        """Accept connections; raise OSError if another process listens on the port meanwhile."""
        self._server.server_activate()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and close the open connections."""
        if self._thread:
            self._server.shutdown()
        self._server.server_close()
        self._server.end_connections()
        if self._thread:
            self._thread.join()


class LoopbackHandler(ABC):
    """A handler with its own server, which runs from `start` to `close` and can be started again."""

    _server: LoopbackServer | None = None

    @property
    def url(self) -> str:
        """The URL of the server, without a trailing slash; RuntimeError if it has not been started."""
        if self._server is None:
            message = f"The {type(self).__name__} has not been started."
            raise RuntimeError(message)
        return self._server.url

    def start(self, port: int = 0, *, accept: bool = True) -> None:
        """Listen on loopback; raise OSError if *port* is taken. Without *accept*, only reserve the port."""
        self._server = LoopbackServer(self, port, accept=accept)

    def accept(self) -> None:
        """Accept connections on the reserved port; raise OSError if another process listens on it meanwhile."""
        if self._server is not None:
            self._server.accept()

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self._server = None

    @abstractmethod
    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Respond to one request; called by several threads at once."""

    @abstractmethod
    def refuse(self, error: HttpSyntaxError) -> HttpResponse:
        """Respond to bytes that are not a valid HTTP request."""


class _ConnectionHandler(socketserver.BaseRequestHandler):
    """The connection of one client, which may carry several requests."""

    def handle(self) -> None:
        """Respond to requests until the connection is closed."""
        server = cast("_Server", self.server)
        # Otherwise each response waits 40 ms for the client's delayed acknowledgement.
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request.settimeout(IDLE_SECONDS)
        connection = HttpConnection(self.request)
        with server.tracked(self.request), contextlib.suppress(OSError):
            while _serve_one(connection, server.handler):
                pass


def _serve_one(connection: HttpConnection, handler: Handler) -> bool:
    try:
        request = connection.read()
    except HttpSyntaxError as error:
        return connection.write(handler.refuse(error), last=True)
    return request is not None and connection.write(handler.answer(*request))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, handler: Handler, port: int, context: ssl.SSLContext | None) -> None:
        self.handler = handler
        self._context = context
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        super().__init__((HOST, port), _ConnectionHandler, bind_and_activate=False)
        try:
            self.server_bind()
        except OSError:
            self.server_close()
            raise

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; its thread does the TLS handshake, so that a slow client does not block the others."""
        connection, address = super().get_request()
        if self._context is not None:
            connection = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    @contextlib.contextmanager
    def tracked(self, connection: socket.socket) -> Iterator[None]:
        """Register *connection* as open while the context is active."""
        with self._lock:
            self._open.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connection)
                self._idle.notify_all()

    def end_connections(self) -> None:
        """Shut down every open connection and wait up to two seconds for their threads."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._idle.wait_for(lambda: not self._open, timeout=2)
