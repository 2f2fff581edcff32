"""HTTP/1.1 on the wire: strict readers, one-piece answers."""

from __future__ import annotations

import io

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


def head_of(text: str) -> Head:
    """The head that *text* is."""
    head = read_head(io.BytesIO(text.encode("latin-1")))
    assert head is not None
    return head


def body_of(raw: bytes) -> bytes:
    """The body of the request that *raw* is."""
    stream = io.BytesIO(raw)
    head = read_head(stream)
    assert head is not None
    return read_body(stream, head)


class TestHead:
    """Request line and headers."""

    def test_request_is_read(self) -> None:
        """Method, target and headers arrive as sent; values lose the space around them."""
        head = head_of("GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-A:  1 \r\nx-a: 2\r\n\r\n")

        assert head == Head("GET", "/a?b=c", [("Host", "x"), ("X-A", "1"), ("x-a", "2")], keep_alive=True)

    def test_end_of_connection_is_no_request(self) -> None:
        """A client that goes away between requests is not an error."""
        assert read_head(io.BytesIO(b"")) is None

    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            pytest.param("GET / HTTP/1.1\r\n\r\n", True, id="1.1"),
            pytest.param("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", False, id="1.0"),
            pytest.param("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", False, id="close"),
        ],
    )
    def test_connection_is_kept_only_in_http_1_1(self, text: str, *, kept: bool) -> None:
        """HTTP/1.1 keeps the connection unless the client asks to close it; HTTP/1.0 never does."""
        assert head_of(text).keep_alive is kept

    def test_absolute_target_becomes_a_path(self) -> None:
        """A client that believes us to be a proxy sends the whole URL."""
        assert head_of("GET http://x:1/a?u=http://y/ HTTP/1.1\r\n\r\n").target == "/a?u=http://y/"

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

    def test_largest_body_is_taken(self) -> None:
        """The limit itself is allowed."""
        head = Head("POST", "/", [("Content-Length", str(MAX_BODY))], keep_alive=True)

        assert len(read_body(io.BytesIO(b"a" * MAX_BODY), head)) == MAX_BODY


class TestReplyBytes:
    """Answers."""

    def test_empty_answer_says_so(self) -> None:
        """A client must not wait for a body that does not come."""
        assert b"\r\nContent-Length: 0\r\n" in reply_bytes(Reply(200), method="GET", keep_alive=True)

    @pytest.mark.parametrize("status", [204, 304])
    def test_status_without_body_has_none(self, status: int) -> None:
        """RFC 9110 forbids a body, and for 204 a length."""
        raw = reply_bytes(Reply(status, [("ETag", '"1"')], b"body"), method="GET", keep_alive=True)

        assert raw.endswith(b'ETag: "1"\r\n\r\n')
        assert b"Content-Length" not in raw

    def test_head_gets_the_length_alone(self) -> None:
        """The answer to HEAD is the one to GET without its body."""
        raw = reply_bytes(Reply(405, [], b"body"), method="HEAD", keep_alive=True)

        assert raw.endswith(b"Content-Length: 4\r\n\r\n")

    def test_framing_is_ours(self) -> None:
        """A site cannot break the framing with headers of its own."""
        reply = Reply(200, [("content-length", "9"), ("Transfer-Encoding", "chunked")], b"body")
        raw = reply_bytes(reply, method="GET", keep_alive=False)

        assert raw.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"chunked" not in raw
        assert b": 9" not in raw
        assert b"\r\nConnection: close\r\n" in raw

    def test_stream_comes_in_chunks(self) -> None:
        """Of a length that nobody knows yet (RFC 9112, section 7.1)."""
        raw = reply_bytes(Reply(200, stream=iter([])), method="GET", keep_alive=True)

        assert raw.endswith(b"Transfer-Encoding: chunked\r\n\r\n")
        assert b"Content-Length" not in raw
        assert (chunk_bytes(b"x" * 17), chunk_bytes(b"")) == (b"11\r\n" + b"x" * 17 + b"\r\n", b"0\r\n\r\n")

    def test_unknown_status_is_sent(self) -> None:
        """A status without a name is still a status."""
        assert reply_bytes(Reply(299), method="GET", keep_alive=True).startswith(b"HTTP/1.1 299 ")
