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
    """A site that answers with what it was asked."""

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """The request as text."""
        assert headers
        return HttpResponse(200, [], f"{method} {target} ".encode() + body)

    def refuse(self, error: HttpSyntaxError) -> HttpResponse:
        """Why it is no request."""
        return HttpResponse(413 if error.too_large else 400, [], error.detail.encode())


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    """A server that echoes."""
    server = LoopbackServer(Echo())
    yield server
    server.close()


def exchange(server: LoopbackServer, raw: bytes) -> bytes:
    """Everything that the server says to *raw* before it closes the connection."""
    port = urlsplit(server.url).port
    with socket.create_connection(("127.0.0.1", port or 0), timeout=30) as connection:
        connection.sendall(raw)
        return b"".join(iter(lambda: connection.recv(65536), b""))


class TestLoopbackServer:
    """Requests in, answers out."""

    def test_connection_is_kept(self, server: LoopbackServer) -> None:
        """Request after request goes over one connection, until one asks to close it."""
        second = b"POST /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"

        answers = exchange(server, b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n" + second)

        assert answers.count(b"HTTP/1.1 200 OK") == 2
        assert answers.index(b"GET /1 ") < answers.index(b"POST /2 x")

    def test_client_that_waits_for_a_go_ahead_gets_it(self, server: LoopbackServer) -> None:
        """Curl asks before it sends a large body."""
        head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"
        with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=30) as connection:
            connection.sendall(head)
            assert connection.recv(65536).startswith(b"HTTP/1.1 100 Continue\r\n")
            connection.sendall(b"ab")
            assert b"".join(iter(lambda: connection.recv(65536), b"")).endswith(b"POST / ab")

    @pytest.mark.parametrize(
        "raw",
        [
            pytest.param(b"nonsense\r\n\r\n", id="nonsense"),
            pytest.param(bytes(range(256)) + b"\n", id="binary"),
            pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", id="length"),
        ],
    )
    def test_malformed_request_is_answered_and_the_server_lives(self, server: LoopbackServer, raw: bytes) -> None:
        """Nothing that a client sends ends the server."""
        assert exchange(server, raw).startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert exchange(server, LAST).startswith(b"HTTP/1.1 200 OK\r\n")

    def test_client_that_goes_away_does_no_harm(self, server: LoopbackServer) -> None:
        """A connection cut in the middle of a request ends alone."""
        with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0)) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")

        assert exchange(server, LAST).startswith(b"HTTP/1.1 200 OK\r\n")

    def test_taken_port_is_an_error_of_the_caller(self, server: LoopbackServer) -> None:
        """The caller gets to explain which port is taken."""
        with pytest.raises(OSError, match="in use"):
            LoopbackServer(Echo(), urlsplit(server.url).port or 0)

    def test_close_ends_idle_connections(self) -> None:
        """A kept connection does not outlive its server, and the port is free again."""
        server = LoopbackServer(Echo())
        port = urlsplit(server.url).port or 0
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
            server.close()
            assert connection.recv(1) == b""

        LoopbackServer(Echo(), port).close()
