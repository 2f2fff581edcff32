"""HTTP/1.1 on the wire: strict readers, one-piece answers."""

from __future__ import annotations

import io
import re

import pytest

from infra.local.wire import (
    MAX_BODY,
    MAX_HEADERS,
    MAX_LINE,
    Head,
    Reply,
    WireError,
    chunk_bytes,
    read_body,
    read_head,
    reply_bytes,
)

LARGEST = b"a" * MAX_BODY
ETAG = [("ETag", "1")]
FRAMING = [("content-length", "9"), ("Transfer-Encoding", "chunked")]
"""Headers of a site that would break the framing."""


def body_of(raw: bytes) -> bytes:
    """The body of the request that *raw* is."""
    stream = io.BytesIO(raw)
    head = read_head(stream)
    assert head is not None
    return read_body(stream, head)


class TestHead:
    """Request line and headers."""

    @pytest.mark.parametrize(
        ("start", "target", "kept"),
        [
            pytest.param("BREW /a?b=c HTTP/1.1\r\n", "/a?b=c", True, id="any method"),
            pytest.param("BREW http://x:1/a?u=http://y/ HTTP/1.1\r\n", "/a?u=http://y/", True, id="as to a proxy"),
            pytest.param("BREW / HTTP/1.0\r\nConnection: keep-alive\r\n", "/", False, id="1.0"),
            pytest.param("BREW / HTTP/1.1\r\nConnection: Close\r\n", "/", False, id="close"),
        ],
    )
    def test_request_is_read(self, start: str, target: str, *, kept: bool) -> None:
        """Headers as sent, but for the space around values; HTTP/1.1 keeps the connection unless told to close it."""
        head = read_head(io.BytesIO(f"{start}X-A:  1 \r\nx-a: 2\r\n\r\n".encode()))

        assert head is not None
        assert (head.method, head.target, head.keep_alive) == ("BREW", target, kept)
        assert head.headers[-2:] == [("X-A", "1"), ("x-a", "2")]

    def test_end_of_connection_is_no_request(self) -> None:
        """A client that goes away between requests is not an error."""
        assert read_head(io.BytesIO(b"")) is None

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("\r\n\r\n", id="empty line"),
            pytest.param("GET /\r\n\r\n", id="HTTP/0.9"),
            pytest.param("GET  / HTTP/1.1\r\n\r\n", id="two spaces"),
            pytest.param("GET / HTTP/2.0\r\n\r\n", id="HTTP/2"),
            pytest.param("GET * HTTP/1.1\r\n\r\n", id="asterisk"),
            pytest.param("GET /a#b HTTP/1.1\r\n\r\n", id="fragment"),
            pytest.param("GET /\xe9 HTTP/1.1\r\n\r\n", id="target is not ASCII"),
            pytest.param("G(T / HTTP/1.1\r\n\r\n", id="method is no token"),
            pytest.param("GET / HTTP/1.1\r\nA b: c\r\n\r\n", id="space in a name"),
            pytest.param("GET / HTTP/1.1\r\nA : c\r\n\r\n", id="space before the colon"),
            pytest.param("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", id="folded"),
            pytest.param("GET / HTTP/1.1\r\nA: b\x00\r\n\r\n", id="NUL"),
            pytest.param("GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n", id="bare CR"),
            pytest.param("GET / HTTP/1.1\r\nnonsense\r\n\r\n", id="no colon"),
            pytest.param("GET / HTTP/1.1\r\nA: b", id="ends early"),
            pytest.param("GET /" + "a" * MAX_LINE + " HTTP/1.1\r\n\r\n", id="long line"),
            pytest.param("GET / HTTP/1.1\r\n" + "A: b\r\n" * (MAX_HEADERS + 1) + "\r\n", id="many headers"),
            pytest.param("\x16\x03\x01\x02\x00\x01\n", id="TLS"),
        ],
    )
    def test_what_is_no_request_is_refused(self, text: str) -> None:
        """Anything that two readers could understand differently is refused."""
        with pytest.raises(WireError):
            read_head(io.BytesIO(text.encode("latin-1")))


class TestBody:
    """Content-Length and chunks."""

    @pytest.mark.parametrize(
        ("framing", "body"),
        [
            pytest.param(b"\r\n", b"", id="none"),
            pytest.param(b"Content-Length: 0\r\n\r\n", b"", id="empty"),
            pytest.param(b"Content-Length: 3\r\n\r\nabcd", b"abc", id="counted"),
            pytest.param(
                b"Transfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n",
                b"abc0123456789",
                id="chunked",
            ),
            pytest.param(b"Content-Length: %d\r\n\r\n" % MAX_BODY + LARGEST, LARGEST, id="largest"),
        ],
    )
    def test_body_is_read(self, framing: bytes, body: bytes) -> None:
        """The body is what its framing says, no more."""
        assert body_of(b"POST / HTTP/1.1\r\n" + framing) == body

    @pytest.mark.parametrize(
        "framing",
        [
            pytest.param(b"Content-Length: -1\r\n\r\n", id="negative"),
            pytest.param(b"Content-Length: 1_0\r\n\r\n", id="underscore"),
            pytest.param(b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", id="two lengths"),
            pytest.param(b"Content-Length: 9\r\n\r\nabc", id="short"),
            pytest.param(b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="both"),
            pytest.param(b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", id="other coding"),
            pytest.param(b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", id="chunk size"),
            pytest.param(b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", id="long chunk"),
            pytest.param(b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", id="no last chunk"),
        ],
    )
    def test_odd_framing_is_refused(self, framing: bytes) -> None:
        """A body whose end is not certain is how requests are smuggled."""
        with pytest.raises(WireError) as refusal:
            body_of(b"POST / HTTP/1.1\r\n" + framing)

        assert not refusal.value.too_large

    def test_large_body_is_read_to_its_end_and_refused(self) -> None:
        """The client has sent everything before it reads that this was too much."""
        stream = io.BytesIO(b"a" * (MAX_BODY + 1))
        head = Head("POST", "/", [("Content-Length", str(MAX_BODY + 1))], keep_alive=True)

        with pytest.raises(WireError) as refusal:
            read_body(stream, head)

        assert refusal.value.too_large
        assert stream.read() == b""


class TestReplyBytes:
    """Answers."""

    @pytest.mark.parametrize(
        ("method", "reply", "lines"),
        [
            pytest.param("GET", Reply(200), ["200 OK", "Content-Length: 0", "", ""], id="empty"),
            pytest.param("GET", Reply(204, ETAG, b"x"), ["204 No Content", "ETag: 1", "", ""], id="204"),
            pytest.param("GET", Reply(304, ETAG, b"x"), ["304 Not Modified", "ETag: 1", "", ""], id="304"),
            pytest.param("HEAD", Reply(200, [], b"body"), ["200 OK", "Content-Length: 4", "", ""], id="HEAD"),
            pytest.param(
                "GET", Reply(200, FRAMING, b"body"), ["200 OK", "Content-Length: 4", "", "body"], id="framing"
            ),
            pytest.param("GET", Reply(299), ["299 Other", "Content-Length: 0", "", ""], id="unknown status"),
            pytest.param(
                "GET", Reply(200, stream=iter([])), ["200 OK", "Transfer-Encoding: chunked", "", ""], id="stream"
            ),
        ],
    )
    def test_framing_is_certain(self, method: str, reply: Reply, lines: list[str]) -> None:
        """The length is ours alone, and there where RFC 9110 wants one; HEAD, 204 and 304 have no body."""
        raw = reply_bytes(reply, method=method, keep_alive=True).decode()

        assert re.sub("Date: .*\r\n", "", raw) == "HTTP/1.1 " + "\r\n".join(lines)

    def test_close_is_announced(self) -> None:
        """A client does not send a second request into a connection that ends."""
        assert b"\r\nConnection: close\r\n" in reply_bytes(Reply(200), method="GET", keep_alive=False)

    def test_chunks_tell_their_length(self) -> None:
        """In hexadecimal digits; the empty one is the last (RFC 9112, section 7.1)."""
        assert (chunk_bytes(b"x" * 17), chunk_bytes(b"")) == (b"11\r\n" + b"x" * 17 + b"\r\n", b"0\r\n\r\n")
