"""Connections that are kept between invocations: when they are closed, and when a request is sent again."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import pytest
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError

from chalicelib.adapters.http import bounded_body
from chalicelib.adapters.http.connection_failures import failure_reason
from chalicelib.adapters.http.kept_connections import (
    IDLE_SECONDS,
    DeadConnectionError,
    Sent,
    SilentConnectionError,
    keep_connections,
    send,
    time_left,
)
from chalicelib.deadline import Deadline
from infra.localcluster.certificates import server_identity
from tests.support.frozen_network import Death, FrozenNetwork
from tests.support.scripted_server import FAR_DEADLINE, Clock, RawServer, ScriptedServer, json_reply, unused_url

if TYPE_CHECKING:
    from collections.abc import Iterator

DEATHS = ["reset", "closed"]


@contextmanager
def network(*, tls: bool = False) -> Iterator[tuple[FrozenNetwork, ScriptedServer, PoolManager]]:
    """Start a server, and yield the network in front of it and a pool that trusts it."""
    identity = server_identity()
    context = ssl.create_default_context(cadata=identity.ca_pem)
    with ScriptedServer(identity.context if tls else None) as site, FrozenNetwork(site.url) as frozen:
        site.on("/", json_reply({}))
        yield frozen, site, keep_connections(PoolManager(ssl_context=context))


def get(pool: PoolManager, url: str, *, read: float = 60.0) -> Sent:
    """Send a GET, and read its response."""
    sent = send(
        lambda: pool.request(
            "GET", url + "/", retries=False, preload_content=False, timeout=time_left(FAR_DEADLINE, 60, read)
        ),
        pool,
    )
    bounded_body.read(sent.response, FAR_DEADLINE, 100)
    return sent


class TestDead:
    """A kept connection that died."""

    @pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
    @pytest.mark.parametrize("death", [*DEATHS, "lost"])
    def test_request_is_sent_once_more(self, death: Death, *, tls: bool) -> None:
        """The response is that of a new connection, and says that the server may have processed the request twice."""
        with network(tls=tls) as (frozen, site, pool):
            first = get(pool, frozen.url)
            frozen.kill(death)

            again = get(pool, frozen.url)

            assert [first.repeated, again.repeated, get(pool, frozen.url).repeated] == [False, True, False]
            assert (again.response.status, frozen.connections) == (200, 2)
            assert len(site.requests) == (4 if death == "lost" else 3)

    def test_new_connection_that_fails_is_not_retried(self) -> None:
        """The server is unavailable, which the caller of the pool decides about."""
        pool = keep_connections(PoolManager())
        with RawServer([]) as server:
            with pytest.raises(HTTPError) as raised:
                get(pool, server.url)

            assert (failure_reason(raised.value), server.connections) == ("connection_closed", 1)
        with pytest.raises(HTTPError) as raised:
            get(pool, unused_url())
        assert failure_reason(raised.value) == "connect_failed"

    def test_second_failure_is_raised(self) -> None:
        """A request is sent at most twice."""
        kept = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        pool = keep_connections(PoolManager())
        with RawServer([kept], pause=0.5) as server:
            get(pool, server.url)
            server.pieces = []

            with pytest.raises(HTTPError) as raised:
                get(pool, server.url)

            assert (failure_reason(raised.value), server.connections) == ("connection_closed", 2)


class TestSilent:
    """A kept connection that does not respond."""

    def test_is_not_retried_here(self) -> None:
        """A server may be slow, so the caller decides; its next request is sent on a new connection."""
        with network() as (frozen, _, pool):
            get(pool, frozen.url)
            frozen.kill("silent")

            with pytest.raises(HTTPError) as raised:
                get(pool, frozen.url, read=0.05)

            assert failure_reason(raised.value) == "read_timeout"
            assert (get(pool, frozen.url).repeated, frozen.connections) == (False, 2)


class TestIdle:
    """A connection that was not used for a while."""

    @pytest.mark.parametrize(("seconds", "connections"), [(IDLE_SECONDS - 1, 1), (IDLE_SECONDS, 2), (-3600, 2)])
    def test_is_closed(self, monkeypatch: pytest.MonkeyPatch, seconds: float, connections: int) -> None:
        """No request is sent on it: not after a minute, and not after the clock was set back."""
        clock = Clock(1_795_600_000)
        monkeypatch.setattr(time, "time", clock)
        with network() as (frozen, _, pool):
            get(pool, frozen.url)
            clock.now += seconds

            assert not get(pool, frozen.url).repeated
            assert frozen.connections == connections


class Unwritable(socket.socket):
    """A socket on which nothing can be sent."""

    error: OSError

    def sendall(self, *_: object) -> None:
        """Raise the error."""
        raise self.error


class TestSending:
    """A failure before the request was sent."""

    @pytest.mark.parametrize(
        ("error", "new", "kept"),
        [
            pytest.param(BrokenPipeError(), BrokenPipeError, BrokenPipeError, id="urllib3 reads the response"),
            pytest.param(ssl.SSLEOFError(), ssl.SSLEOFError, DeadConnectionError, id="end of TLS"),
            pytest.param(TimeoutError(), TimeoutError, SilentConnectionError, id="silence"),
        ],
    )
    def test_of_a_new_and_a_kept_connection(self, error: OSError, new: type, kept: type) -> None:
        """Only that of a kept connection has another name; none is its own cause."""
        raised = [self.failure(error, is_kept=is_kept) for is_kept in (False, True)]

        assert [type(each) for each in raised] == [new, kept]
        assert all(each.__cause__ is not each for each in raised)

    @staticmethod
    def failure(error: OSError, *, is_kept: bool) -> BaseException:
        """Return what is raised after *error* on a connection that had a response, or not."""
        with network() as (frozen, _, pool):
            connection: Any = pool.connection_from_url(frozen.url).ConnectionCls("127.0.0.1", urlsplit(frozen.url).port)
            connection.connect()
            if is_kept:
                connection.request("GET", "/")
                connection.getresponse().read()
            connection.sock = Unwritable(fileno=connection.sock.detach())
            connection.sock.error = error
            with pytest.raises(Exception) as raised:  # noqa: PT011 - the caller compares its type
                connection.request("GET", "/")
            connection.close()
        return raised.value


class TestTimeLeft:
    """The time limits of one attempt."""

    def test_ends_at_the_deadline(self) -> None:
        """After the deadline nothing is sent."""
        (connect, read), (soon, _) = (limits(FAR_DEADLINE), limits(Deadline.after(1)))

        assert (connect, read) == (2, 5)
        assert 0 < soon <= 1
        with pytest.raises(TimeoutError):
            limits(Deadline(0.0))


def limits(deadline: Deadline) -> tuple[float, float]:
    """Return the time limits of an attempt that may take 2 seconds to connect and 5 to read."""
    timeout = time_left(deadline, 2, 5).clone()
    timeout.start_connect()
    return cast("float", timeout.connect_timeout), cast("float", timeout.read_timeout)
