"""What is ours of HTTP/1.1 on the wire; h11 is tested by those who make it."""

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
"""Headers of a site that would break the framing."""
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nT: 1\r\n\r\n"


@contextmanager
def sent(raw: bytes) -> Iterator[tuple[HttpConnection, socket.socket]]:
    """The wire at whose other end a client has sent *raw*, and no more comes."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(30)

        def send() -> None:
            theirs.sendall(raw)
            theirs.shutdown(socket.SHUT_WR)

        sending = threading.Thread(target=send)
        sending.start()
        yield HttpConnection(ours), theirs
        sending.join()


class TestRead:
    """Requests."""

    @pytest.mark.parametrize(
        ("target", "end", "path", "body"),
        [
            ("/a?b=c", b"\r\n", "/a?b=c", b""),
            ("http://x:1/a?u=http://y/", b"Content-Length: 3\r\n\r\nabc", "/a?u=http://y/", b"abc"),
            ("/", CHUNKED, "/", b"abcd"),
            ("/", b"Content-Length: %d\r\n\r\n" % MAX_BODY + b"a" * MAX_BODY, "/", b"a" * MAX_BODY),
        ],
        ids=["any method", "as to a proxy", "chunked", "largest"],
    )
    def test_request_is_read(self, target: str, end: bytes, path: str, body: bytes) -> None:
        """Headers as they were sent, with their case, their order and their repetitions."""
        with sent(f"BREW {target} HTTP/1.1\r\nX-A:  1 \r\nHost: x\r\nx-a: 2\r\nX-A: 3\r\n".encode() + end) as (wire, _):
            request = wire.read()

        assert request is not None
        assert request.headers[:4] == [("X-A", "1"), ("Host", "x"), ("x-a", "2"), ("X-A", "3")]
        assert request == HttpRequest("BREW", path, request.headers, body)

    def test_end_of_connection_is_no_request(self) -> None:
        """A client that goes away between requests is not an error."""
        with sent(b"") as (wire, _):
            assert wire.read() is None

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("GET /\r\n\r\n", id="no HTTP/1.1"),
            pytest.param("GET * HTTP/1.1\r\nHost: x\r\n\r\n", id="asterisk"),
            pytest.param("GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", id="fragment"),
            pytest.param("GET / HTTP/1.1\r\nHost: x\r\nA: b\x00\r\n\r\n", id="NUL"),
            pytest.param("GET / HTTP/1.1\r\nHost: x\r\nA: b", id="ends early"),
            pytest.param("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc", id="short body"),
            pytest.param("GET / HTTP/1.1\r\nHost: x\r\nA: " + "a" * (MAX_HEAD + 2**17) + "\r\n\r\n", id="long head"),
        ],
    )
    def test_what_is_no_request_is_refused(self, text: str) -> None:
        """And the refusal can be sent."""
        with sent(text.encode("latin-1")) as (wire, client):
            with pytest.raises(HttpSyntaxError) as refusal:
                wire.read()
            assert not refusal.value.too_large
            assert not wire.write(HttpResponse(400), last=True)
            assert b"\r\nConnection: close\r\n" in client.recv(1000)

    def test_large_body_is_read_to_its_end_and_refused(self) -> None:
        """The client has sent everything before it reads that this was too much."""
        length = MAX_BODY + 1
        with sent(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length + b"a" * length) as (wire, _):
            with pytest.raises(HttpSyntaxError) as refusal:
                wire.read()
            assert refusal.value.too_large


class TestWrite:
    """Replies."""

    @pytest.mark.parametrize(
        ("method", "reply", "lines"),
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
    def test_framing_is_certain(self, method: str, reply: HttpResponse, lines: list[str]) -> None:
        """The length is ours alone, and there where RFC 9110 wants one; HEAD, 204 and 304 have no body."""
        with sent(f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n".encode()) as (wire, client):
            wire.read()
            assert wire.write(reply)
            raw = client.recv(1000).decode()
            while reply.stream and not raw.endswith("0\r\n\r\n"):
                raw += client.recv(1000).decode()

        assert re.sub("[Dd]ate: .*\r\n", "", raw).lower() == ("HTTP/1.1 " + "\r\n".join(lines)).lower()
