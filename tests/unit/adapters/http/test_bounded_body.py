"""Answers read in bounded time and memory."""

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
    """Connections that end with the test."""
    with PoolManager() as pools:
        yield pools


def asked(pools: PoolManager | HTTPConnectionPool, url: str) -> BaseHTTPResponse:
    """The answer at *url*, of which the head alone is read."""
    return pools.request("GET", url, preload_content=False, retries=False, timeout=10)


class TestRead:
    """The whole body."""

    @pytest.mark.parametrize("size", [0, 1, CHUNK, 3 * CHUNK + 1])
    def test_body_arrives_whole(self, site: ScriptedServer, size: int) -> None:
        """Whatever its length; the limit itself is within it. The next call needs no new handshake."""
        site.on("/", HttpResponse(200, [], b"x" * size))
        with connection_from_url(site.url) as pool:
            for _ in range(3):
                assert bounded_body.read(asked(pool, "/"), Deadline.after(10), limit=size) == b"x" * size

            assert pool.num_connections == 1

    def test_chunked_body_arrives_whole(self, pools: PoolManager) -> None:
        """As the API server sends long lists."""
        with RawServer([CHUNKED, b"2\r\nab\r\n", b"1\r\nc\r\n0\r\n\r\n"]) as server:
            assert bounded_body.read(asked(pools, server.url), Deadline.after(10), limit=3) == b"abc"


class TestRefused:
    """Bodies that would cost too much."""

    def test_longer_than_the_limit(self, pools: PoolManager) -> None:
        """Reading stops soon after the limit, though the body goes on."""
        with (
            RawServer(itertools.chain([HEAD], itertools.repeat(b"x" * CHUNK))) as server,
            pytest.raises(TooLargeError),
        ):
            bounded_body.read(asked(pools, server.url), Deadline.after(10), limit=10 * CHUNK)

    def test_compressed_body_counts_by_its_real_length(self, site: ScriptedServer, pools: PoolManager) -> None:
        """A few kilobytes that unpack to gigabytes are stopped at the limit, too."""
        site.on("/", HttpResponse(200, [("Content-Encoding", "gzip")], gzip.compress(bytes(2**25))))

        with pytest.raises(TooLargeError):
            bounded_body.read(asked(pools, site.url + "/"), Deadline.after(10), limit=2**20)

    @pytest.mark.parametrize(
        "head", [pytest.param(HEAD, id="counted"), pytest.param(CHUNKED + b"3b9aca00\r\n", id="in a chunk")]
    )
    def test_body_that_drips_ends_at_the_deadline(self, pools: PoolManager, head: bytes) -> None:
        """Although every single byte comes in time."""
        deadline = Deadline.after(0.2)

        with (
            RawServer(itertools.chain([head], itertools.repeat(b"x")), pause=0.02) as server,
            pytest.raises(TimeoutError),
        ):
            bounded_body.read(asked(pools, server.url), deadline, limit=CHUNK)

        assert not deadline.remaining

    @pytest.mark.parametrize(
        "pieces",
        [
            pytest.param([HEAD, b"half"], id="counted"),
            pytest.param([CHUNKED, b"5\r\nha"], id="in a chunk"),
            pytest.param([CHUNKED, b"4\r\nhalf\r\n"], id="between chunks"),
        ],
    )
    def test_body_that_is_cut_off(self, pools: PoolManager, pieces: list[bytes]) -> None:
        """Half of an answer is none."""
        with RawServer(pieces) as server, pytest.raises(ProtocolError):
            bounded_body.read(asked(pools, server.url), Deadline.after(10), limit=CHUNK)

    def test_refused_body_is_not_taken_for_the_next_answer(self) -> None:
        """Its connection is closed, with what is still in it."""
        with RawServer([HEAD, b"abc"]) as server:
            with connection_from_url(server.url) as pool:
                first, second = asked(pool, "/"), asked(pool, "/")
                for response in (first, second):
                    with pytest.raises(TooLargeError):
                        bounded_body.read(response, Deadline.after(10), limit=2)

            assert first.closed
            assert second.closed
            assert server.connections == 2

    def test_errors_are_of_the_kinds_that_callers_catch(self) -> None:
        """OSError and urllib3's HTTPError: nothing else ends a call."""
        assert issubclass(TooLargeError, OSError)
        assert issubclass(ProtocolError, HTTPError)


class TestLines:
    """A body that comes line by line, and may never end."""

    def test_lines_come_whole(self, pools: PoolManager) -> None:
        """However the network cuts them; half a line at the end is none."""
        with RawServer([CHUNKED, b"3\r\na\nb\r\n", b"4\r\nc\n\nd\r\n0\r\n\r\n"]) as server:
            found = bounded_body.lines(asked(pools, server.url), Deadline.after(10), limit=9)

            assert list(found) == [b"a", b"bc", b""]

    def test_line_comes_before_the_end(self, pools: PoolManager) -> None:
        """A watch is silent for minutes: its reader does not wait for that."""
        with RawServer([CHUNKED + b"2\r\na\n\r\n"], pause=60) as server:
            found = bounded_body.lines(asked(pools, server.url), Deadline.after(10), limit=9)

            assert next(found) == b"a"
            found.close()

    @pytest.mark.parametrize(
        ("pieces", "pause"),
        [
            pytest.param([CHUNKED], 60, id="silent"),
            pytest.param([CHUNKED + b"2\r\na\n\r\n"], 60, id="silent after a line"),
            pytest.param(itertools.chain([CHUNKED], itertools.repeat(b"1\r\nx\r\n")), 0.01, id="dripping"),
        ],
    )
    def test_silence_ends_at_the_deadline(self, pools: PoolManager, pieces: Iterable[bytes], pause: float) -> None:
        """The pause outlasts the test; or each byte comes in time, and the line never does."""
        with RawServer(pieces, pause=pause) as server:
            response = asked(pools, server.url)
            deadline = Deadline.after(0.2)

            with contextlib.suppress(HTTPError):
                list(bounded_body.lines(response, deadline, limit=2**20))

            assert not deadline.remaining

    def test_a_line_without_end_is_refused(self, pools: PoolManager) -> None:
        """Before it fills the memory."""
        with RawServer([CHUNKED + b"a\r\n" + b"x" * 10 + b"\r\n"], pause=60) as server:
            response = asked(pools, server.url)

            with pytest.raises(TooLargeError):
                list(bounded_body.lines(response, Deadline.after(10), limit=9))

    def test_one_that_has_ended_is_cut_off_in_peace(self, pools: PoolManager) -> None:
        """The deadline comes when all is read: nobody hears of it."""
        with RawServer([CHUNKED, b"0\r\n\r\n"]) as server:
            response = asked(pools, server.url)
            response.release_conn()

            bounded_body.cut_off(response)

    @pytest.mark.parametrize("error", [ValueError("Read on closed or unwrapped SSL socket."), AttributeError("read")])
    def test_what_a_cut_off_socket_says_is_the_end(self, error: Exception) -> None:
        """After the deadline it is as if the server had ended; before it, it is a fault."""
        for deadline, ends in (
            (Deadline(0.0), contextlib.nullcontext()),
            (Deadline.after(9), pytest.raises(type(error))),
        ):
            with ends:
                assert list(bounded_body.lines(cast("BaseHTTPResponse", CutOff(error)), deadline, limit=9)) == []


class CutOff:
    """An answer whose socket is gone."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def read1(self, _: int) -> bytes:
        """Fails."""
        raise self._error

    def shutdown(self) -> None:
        """Is shut down already."""

    def close(self) -> None:
        """Is closed already."""
