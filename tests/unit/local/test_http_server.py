"""The loopback server, over real sockets."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from infra.local.http_server import LoopbackServer
from infra.local.wire import Headers, HttpResponse, HttpSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterator


LAST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Echo:
    """A handler that returns the request in its response."""

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Return the request as text."""
        assert headers
        return HttpResponse(200, [], f"{method} {target} ".encode() + body)

    def refuse(self, error: HttpSyntaxError) -> HttpResponse:
        """Return the reason of the syntax error."""
        return HttpResponse(413 if error.too_large else 400, [], error.detail.encode())


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    """Start a server with the echo handler."""
    server = LoopbackServer(Echo())
    yield server
    server.close()


def exchange(server: LoopbackServer, raw: bytes) -> bytes:
    """Send *raw* and return everything that the server sends until it closes the connection."""
    port = urlsplit(server.url).port
    with socket.create_connection(("127.0.0.1", port or 0), timeout=30) as connection:
        connection.sendall(raw)
        return b"".join(iter(lambda: connection.recv(65536), b""))


class TestLoopbackServer:
    """Requests in, responses out."""

    def test_connection_is_kept_alive(self, server: LoopbackServer) -> None:
        """One connection carries several requests until one of them asks to close it."""
        second = b"POST /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"

        responses = exchange(server, b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n" + second)

        assert responses.count(b"HTTP/1.1 200 OK") == 2
        assert responses.index(b"GET /1 ") < responses.index(b"POST /2 x")

    def test_client_that_expects_continue_receives_it(self, server: LoopbackServer) -> None:
        """A client that sends `Expect: 100-continue`, as curl does with a large body, receives 100."""
        head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"
        with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=30) as connection:
            connection.sendall(head)
            assert connection.recv(65536).startswith(b"HTTP/1.1 100 Continue\r\n")
            connection.sendall(b"ab")
            assert b"".join(iter(lambda: connection.recv(65536), b"")).endswith(b"POST / ab")

    @pytest.mark.parametrize(
        "raw",
        [
            pytest.param(b"garbage\r\n\r\n", id="garbage"),
            pytest.param(bytes(range(256)) + b"\n", id="binary"),
            pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", id="length"),
        ],
    )
    def test_malformed_request_does_not_stop_the_server(self, server: LoopbackServer, raw: bytes) -> None:
        """A malformed request receives 400 and does not stop the server."""
        assert exchange(server, raw).startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert exchange(server, LAST).startswith(b"HTTP/1.1 200 OK\r\n")

    def test_aborted_request_does_not_stop_the_server(self, server: LoopbackServer) -> None:
        """A connection that is cut in the middle of a request does not affect others."""
        with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0)) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")

        assert exchange(server, LAST).startswith(b"HTTP/1.1 200 OK\r\n")

    def test_port_in_use_raises_os_error(self, server: LoopbackServer) -> None:
        """The OSError reaches the caller, which can name the port."""
        with pytest.raises(OSError, match="in use"):
            LoopbackServer(Echo(), urlsplit(server.url).port or 0)

    def test_port_is_reserved_until_it_accepts(self) -> None:
        """Until then it refuses connections, and can be closed."""
        server = LoopbackServer(Echo(), accept=False)
        port = urlsplit(server.url).port or 0

        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=30)
        server.accept()
        assert exchange(server, LAST).startswith(b"HTTP/1.1 200 OK\r\n")
        server.close()
        LoopbackServer(Echo(), port, accept=False).close()

    def test_close_ends_idle_connections(self) -> None:
        """An idle connection is closed with its server, and the port is free again."""
        server = LoopbackServer(Echo())
        port = urlsplit(server.url).port or 0
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
            server.close()
            assert connection.recv(1) == b""

        LoopbackServer(Echo(), port).close()
