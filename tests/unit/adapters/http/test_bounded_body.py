"""Reading responses in bounded time and memory."""

from __future__ import annotations

import contextlib
import gzip
import itertools
from typing import TYPE_CHECKING, cast

import pytest
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, PoolManager, connection_from_url
from urllib3.exceptions import HTTPError, ProtocolError

from chalicelib.adapters.http import bounded_body
from chalicelib.adapters.http.bounded_body import CHUNK, TooLargeError
from chalicelib.deadline import Deadline
from infra.local.wire import HttpResponse
from tests.support.scripted_server import RawServer, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def pools() -> Iterator[PoolManager]:
    """Create connection pools that are closed after the test."""
    with PoolManager() as pools:
        yield pools


def get(pools: PoolManager | HTTPConnectionPool, url: str) -> BaseHTTPResponse:
    """Send a GET and return the response before its body."""
    return pools.request("GET", url, preload_content=False, retries=False, timeout=10)


class TestTail:
    """Reading the end of a body."""

    @pytest.mark.parametrize("size", [0, 1, 10, 11, 5 * CHUNK])
    def test_last_bytes(self, pools: PoolManager, site: ScriptedServer, size: int) -> None:
        """The last bytes are returned, and the connection is used again."""
        body = bytes(number % 251 for number in range(size))
        site.on("/", HttpResponse(200, [], body))

        assert bounded_body.tail(get(pools, site.url), Deadline.after(60), 10, None) == body[-10:]

    def test_limit(self, pools: PoolManager, site: ScriptedServer) -> None:
        """A body that is too large is not read to its end."""
        site.on("/", HttpResponse(200, [], b"x" * 100))

        with pytest.raises(TooLargeError):
            bounded_body.tail(get(pools, site.url), Deadline.after(60), 10, 99)


class TestRead:
    """Reading a whole body."""

    @pytest.mark.parametrize("size", [0, 1, CHUNK, 3 * CHUNK + 1])
    def test_body_is_read_completely(self, site: ScriptedServer, size: int) -> None:
        """Bodies up to the limit are read, and the connection is reused."""
        site.on("/", HttpResponse(200, [], b"x" * size))
        with connection_from_url(site.url) as pool:
            for _ in range(3):
                assert bounded_body.read(get(pool, "/"), Deadline.after(10), limit=size) == b"x" * size

            assert pool.num_connections == 1

    def test_chunked_body_is_read_completely(self, pools: PoolManager) -> None:
        """The API server sends long lists in chunks."""
        with RawServer([CHUNKED, b"2\r\nab\r\n", b"1\r\nc\r\n0\r\n\r\n"]) as server:
            assert bounded_body.read(get(pools, server.url), Deadline.after(10), limit=3) == b"abc"


class TestBounds:
    """Bodies that exceed a bound."""

    def test_longer_than_the_limit(self, pools: PoolManager) -> None:
        """Reading stops soon after the limit, even if the body goes on."""
        with (
            RawServer(itertools.chain([HEAD], itertools.repeat(b"x" * CHUNK))) as server,
            pytest.raises(TooLargeError),
        ):
            bounded_body.read(get(pools, server.url), Deadline.after(10), limit=10 * CHUNK)

    def test_limit_applies_to_the_decompressed_body(self, site: ScriptedServer, pools: PoolManager) -> None:
        """A few kilobytes that decompress to gigabytes are stopped at the limit."""
        site.on("/", HttpResponse(200, [("Content-Encoding", "gzip")], gzip.compress(bytes(2**25))))

        with pytest.raises(TooLargeError):
            bounded_body.read(get(pools, site.url + "/"), Deadline.after(10), limit=2**20)

    @pytest.mark.parametrize(
        "head", [pytest.param(HEAD, id="content length"), pytest.param(CHUNKED + b"3b9aca00\r\n", id="chunked")]
    )
    def test_slow_body_ends_at_the_deadline(self, pools: PoolManager, head: bytes) -> None:
        """The deadline ends a body even if every single byte arrives in time."""
        deadline = Deadline.after(0.2)

        with (
            RawServer(itertools.chain([head], itertools.repeat(b"x")), pause=0.02) as server,
            pytest.raises(TimeoutError),
        ):
            bounded_body.read(get(pools, server.url), deadline, limit=CHUNK)

        assert not deadline.remaining

    @pytest.mark.parametrize(
        "pieces",
        [
            pytest.param([HEAD, b"half"], id="content length"),
            pytest.param([CHUNKED, b"5\r\nha"], id="chunked"),
            pytest.param([CHUNKED, b"4\r\nhalf\r\n"], id="between chunks"),
        ],
    )
    def test_body_that_is_cut_off(self, pools: PoolManager, pieces: list[bytes]) -> None:
        """An incomplete body is an error."""
        with RawServer(pieces) as server, pytest.raises(ProtocolError):
            bounded_body.read(get(pools, server.url), Deadline.after(10), limit=CHUNK)

    def test_connection_is_closed_after_an_error(self) -> None:
        """The rest of an abandoned body is never read as the next response."""
        with RawServer([HEAD, b"abc"]) as server:
            with connection_from_url(server.url) as pool:
                first, second = get(pool, "/"), get(pool, "/")
                for response in (first, second):
                    with pytest.raises(TooLargeError):
                        bounded_body.read(response, Deadline.after(10), limit=2)

            assert first.closed
            assert second.closed
            assert server.connections == 2

    def test_errors_are_oserror_or_httperror(self) -> None:
        """Callers catch these two types."""
        assert issubclass(TooLargeError, OSError)
        assert issubclass(ProtocolError, HTTPError)


class TestLines:
    """Reading a body line by line, which may never end."""

    def test_lines_are_complete(self, pools: PoolManager) -> None:
        """Lines are independent of the chunks; an incomplete line at the end is dropped."""
        with RawServer([CHUNKED, b"3\r\na\nb\r\n", b"4\r\nc\n\nd\r\n0\r\n\r\n"]) as server:
            found = bounded_body.lines(get(pools, server.url), Deadline.after(10), limit=9)

            assert list(found) == [b"a", b"bc", b""]

    def test_line_is_yielded_before_the_body_ends(self, pools: PoolManager) -> None:
        """A watch may be silent for minutes after a line."""
        with RawServer([CHUNKED + b"2\r\na\n\r\n"], pause=60) as server:
            found = bounded_body.lines(get(pools, server.url), Deadline.after(10), limit=9)

            assert next(found) == b"a"
            found.close()

    @pytest.mark.parametrize(
        ("pieces", "pause"),
        [
            pytest.param([CHUNKED], 60, id="silent"),
            pytest.param([CHUNKED + b"2\r\na\n\r\n"], 60, id="silent after a line"),
            pytest.param(itertools.chain([CHUNKED], itertools.repeat(b"1\r\nx\r\n")), 0.01, id="slow"),
        ],
    )
    def test_silence_ends_at_the_deadline(self, pools: PoolManager, pieces: Iterable[bytes], pause: float) -> None:
        """The deadline ends the read if no byte arrives, or if a line never ends."""
        with RawServer(pieces, pause=pause) as server:
            response = get(pools, server.url)
            deadline = Deadline.after(0.2)

            with contextlib.suppress(HTTPError):
                list(bounded_body.lines(response, deadline, limit=2**20))

            assert not deadline.remaining

    def test_line_that_exceeds_the_limit(self, pools: PoolManager) -> None:
        """A line that never ends is an error before it fills the memory."""
        with RawServer([CHUNKED + b"a\r\n" + b"x" * 10 + b"\r\n"], pause=60) as server:
            response = get(pools, server.url)

            with pytest.raises(TooLargeError):
                list(bounded_body.lines(response, Deadline.after(10), limit=9))

    def test_shutdown_after_the_end_is_no_error(self, pools: PoolManager) -> None:
        """The deadline may be reached when the body has just been read."""
        with RawServer([CHUNKED, b"0\r\n\r\n"]) as server:
            response = get(pools, server.url)
            response.release_conn()

            bounded_body.shut_down(response)

    @pytest.mark.parametrize("error", [ValueError("Read on closed or unwrapped SSL socket."), AttributeError("read")])
    def test_error_of_a_shut_down_socket_is_the_end(self, error: Exception) -> None:
        """After the deadline these errors mean the end of the stream; before it, they are raised."""
        for deadline, ends in (
            (Deadline(0.0), contextlib.nullcontext()),
            (Deadline.after(9), pytest.raises(type(error))),
        ):
            with ends:
                assert (
                    list(bounded_body.lines(cast("BaseHTTPResponse", BrokenResponse(error)), deadline, limit=9)) == []
                )


class BrokenResponse:
    """A response whose socket was shut down."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def read1(self, _: int) -> bytes:
        """Raise the error."""
        raise self._error

    def shutdown(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
