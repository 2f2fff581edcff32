"""Our part of HTTP/1.1 on a connection; h11 has its own tests."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from infra.local.wire import MAX_BODY, MAX_HEAD, HttpConnection, HttpRequest, HttpResponse, HttpSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterator

ETAG = [("ETag", "1")]
FRAMING = [("content-length", "9"), ("Transfer-Encoding", "chunked")]
"""Headers of a handler that would break the framing."""
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nT: 1\r\n\r\n"


@contextmanager
def sent(raw: bytes) -> Iterator[tuple[HttpConnection, socket.socket]]:
    """Yield a connection on which a client has sent *raw* and closed its side."""
    server_side, client_side = socket.socketpair()
    with server_side, client_side:
        client_side.settimeout(30)

        def send() -> None:
            client_side.sendall(raw)
            client_side.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=send)
        thread.start()
        yield HttpConnection(server_side), client_side
        thread.join()


class TestRead:
    """Parsing of requests."""

    @pytest.mark.parametrize(
        ("target", "end", "path", "body"),
        [
            ("/a?b=c", b"\r\n", "/a?b=c", b""),
            ("http://x:1/a?u=http://y/", b"Content-Length: 3\r\n\r\nabc", "/a?u=http://y/", b"abc"),
            ("/", CHUNKED, "/", b"abcd"),
            ("/", b"Content-Length: %d\r\n\r\n" % MAX_BODY + b"a" * MAX_BODY, "/", b"a" * MAX_BODY),
        ],
        ids=["any method", "absolute form", "chunked", "largest"],
    )
    def test_request_is_read(self, target: str, end: bytes, path: str, body: bytes) -> None:
        """Headers keep their case, their order and their repetitions."""
        with sent(f"BREW {target} HTTP/1.1\r\nX-A:  1 \r\nHost: x\r\nx-a: 2\r\nX-A: 3\r\n".encode() + end) as (http, _):
            request = http.read()

        assert request is not None
        assert request.headers[:4] == [("X-A", "1"), ("Host", "x"), ("x-a", "2"), ("X-A", "3")]
        assert request == HttpRequest("BREW", path, request.headers, body)

    def test_closed_connection_returns_none(self) -> None:
        """A client that closes the connection between requests is not an error."""
        with sent(b"") as (http, _):
            assert http.read() is None

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("GET /\r\n\r\n", id="not HTTP/1.1"),
            pytest.param("GET * HTTP/1.1\r\nHost: x\r\n\r\n", id="asterisk"),
            pytest.param("GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", id="fragment"),
            pytest.param("GET / HTTP/1.1\r\nHost: x\r\nA: b\x00\r\n\r\n", id="NUL"),
            pytest.param("GET / HTTP/1.1\r\nHost: x\r\nA: b", id="incomplete head"),
            pytest.param("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc", id="short body"),
            pytest.param("GET / HTTP/1.1\r\nHost: x\r\nA: " + "a" * (MAX_HEAD + 2**17) + "\r\n\r\n", id="long head"),
        ],
    )
    def test_invalid_request_raises(self, text: str) -> None:
        """An invalid request raises HttpSyntaxError, and an error response can be sent."""
        with sent(text.encode("latin-1")) as (http, client):
            with pytest.raises(HttpSyntaxError) as error:
                http.read()
            assert not error.value.too_large
            assert not http.write(HttpResponse(400), last=True)
            assert b"\r\nConnection: close\r\n" in client.recv(1000)

    def test_large_body_is_drained_and_rejected(self) -> None:
        """A body that is too large is read to its end, so that the client can read the error."""
        length = MAX_BODY + 1
        with sent(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length + b"a" * length) as (http, _):
            with pytest.raises(HttpSyntaxError) as error:
                http.read()
            assert error.value.too_large


class TestWrite:
    """Responses."""

    @pytest.mark.parametrize(
        ("method", "response", "lines"),
        [
            pytest.param("GET", HttpResponse(200), ["200 OK", "Content-Length: 0", "", ""], id="empty"),
            pytest.param("GET", HttpResponse(204, ETAG, b"x"), ["204 No Content", "ETag: 1", "", ""], id="204"),
            pytest.param("GET", HttpResponse(304, ETAG, b"x"), ["304 Not Modified", "ETag: 1", "", ""], id="304"),
            pytest.param("HEAD", HttpResponse(200, [], b"body"), ["200 OK", "Content-Length: 4", "", ""], id="HEAD"),
            pytest.param(
                "GET", HttpResponse(200, FRAMING, b"body"), ["200 OK", "Content-Length: 4", "", "body"], id="framed"
            ),
            pytest.param("GET", HttpResponse(299), ["299 ", "Content-Length: 0", "", ""], id="unknown status"),
            pytest.param(
                "GET",
                HttpResponse(200, stream=iter([b"x" * 17])),
                ["200 OK", "Transfer-Encoding: chunked", "", "11", "x" * 17, "0", "", ""],
                id="stream",
            ),
        ],
    )
    def test_framing_is_correct(self, method: str, response: HttpResponse, lines: list[str]) -> None:
        """The framing is ours, where RFC 9110 requires a length; HEAD, 204 and 304 have no body."""
        with sent(f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n".encode()) as (http, client):
            http.read()
            assert http.write(response)
            raw = client.recv(1000).decode()
            while response.stream and not raw.endswith("0\r\n\r\n"):
                raw += client.recv(1000).decode()

        assert re.sub("[Dd]ate: .*\r\n", "", raw).lower() == ("HTTP/1.1 " + "\r\n".join(lines)).lower()
