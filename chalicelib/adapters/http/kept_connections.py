"""Connections that are kept between invocations, while Lambda may freeze the process.

A frozen process does not notice that a server, a load balancer or a NAT gateway closes its idle connections:

1. A connection that was idle for IDLE_SECONDS is closed, and the request is sent on a new one.
2. If a kept connection fails before its response begins, all idle ones are closed, and the request is repeated once,
   on a new one. The server may have processed it, so only requests that may be repeated are sent this way.
3. If a kept connection only times out, the idle ones are closed, and the caller decides whether to send it again.

A failure of a kept connection is no failure of the server, so that a circuit breaker does not count it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ProtocolError
from urllib3.exceptions import TimeoutError as HttpTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

    from urllib3 import BaseHTTPResponse, HTTPResponse, PoolManager

    from chalicelib.deadline import Deadline

IDLE_SECONDS = 60.0
"""Less than the 90 seconds after which an API server closes an idle connection; load balancers wait for minutes."""


class DeadConnectionError(ProtocolError):
    """A kept connection failed before the response began."""


class SilentConnectionError(HttpTimeoutError):
    """A kept connection timed out before the response began."""


class Sent(msgspec.Struct, frozen=True):
    """A response before its body; *repeated* if the server may have processed the request twice."""

    response: Any
    repeated: bool = False


class Pool(Protocol):
    """One connection pool, or several."""

    def clear(self) -> None:
        """Close the idle connections; those in use stay open until their response is read."""


class _KeptConnection(HTTPConnection):
    """A connection that knows since when it has been idle."""

    _responded_at: float | None = None

    def connect(self) -> None:
        """Connect, for the first time or again."""
        self._responded_at = None
        super().connect()

    @property
    def is_connected(self) -> bool:
        """Whether urllib3 may use the connection for another request."""
        # The wall clock, because a monotonic one may stand still while the process is frozen.
        idle = 0.0 if self._responded_at is None else abs(time.time() - self._responded_at)
        return idle < IDLE_SECONDS and super().is_connected

    def request(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - urllib3's arguments
        """Send a request."""
        try:
            super().request(*arguments, **options)
        except (BrokenPipeError, ConnectionResetError):
            raise  # urllib3 then reads the response: a server may reject a request before it has read all of it
        except OSError as error:
            self._raise_if_kept(error)
            raise

    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as urllib3's own method
        """Return the response before its body."""
        try:
            response = super().getresponse()
        except OSError as error:
            self._raise_if_kept(error)
            raise
        self._responded_at = time.time()
        return response

    def _raise_if_kept(self, error: OSError) -> None:
        if self._responded_at is not None:
            raise (SilentConnectionError if isinstance(error, TimeoutError) else DeadConnectionError) from error


class _KeptTlsConnection(_KeptConnection, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _KeptConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _KeptTlsConnection


def keep_connections(manager: PoolManager) -> PoolManager:
    """Return *manager*, whose connections are closed when they have been idle, and report that they were kept."""
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
    return manager


def send(request: Callable[[], BaseHTTPResponse], pool: Pool) -> Sent:
    """Call *request*, which sends a request through *pool*; if a kept connection was dead, call it again.

    Raises:
        HTTPError, OSError: there is no response; SilentConnectionError if a kept connection timed out.
    """
    try:
        return Sent(request())
    except DeadConnectionError:
        pool.clear()
        return Sent(request(), repeated=True)
    except SilentConnectionError:
        pool.clear()
        raise


def time_left(deadline: Deadline, connect: float, read: float) -> Timeout:
    """Return these time limits in seconds, shortened to end at *deadline*; TimeoutError after it."""
    left = deadline.remaining
    if not left:
        raise TimeoutError
    return Timeout(connect=min(connect, left), read=min(read, left))
