"""Read a response in bounded time and memory.

urllib3's read time-out starts again with every chunk, so it does not bound a body that arrives slowly.
"""

from __future__ import annotations

from contextlib import suppress
from threading import Timer
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from urllib3 import BaseHTTPResponse

    from chalicelib.deadline import Deadline

CHUNK = 2**16


class BodyReader(Protocol):
    """Reads what is needed of a body."""

    def __call__(self, response: BaseHTTPResponse, deadline: Deadline, /) -> bytes:
        """Return it; TimeoutError after *deadline*."""


class Splitter(Protocol):
    """Reads a body in parts."""

    def __call__(self, response: BaseHTTPResponse, deadline: Deadline, /) -> Generator[bytes, None, None]:
        """Yield the parts until the body ends or *deadline* is over."""


class TooLargeError(OSError):
    """The body exceeds its limit; *start* is the part that was read."""

    def __init__(self, start: bytes = b"") -> None:
        super().__init__()
        self.start = start


def read(response: BaseHTTPResponse, deadline: Deadline, limit: int) -> bytes:
    """Return the whole body; TimeoutError after *deadline*, TooLargeError beyond *limit* bytes."""
    chunks, size = [], 0
    try:
        while chunk := response.read1(CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            _check(chunks, size, deadline, limit)
    except BaseException:
        response.close()
        raise
    response.release_conn()
    return b"".join(chunks)


def tail(response: BaseHTTPResponse, deadline: Deadline, keep: int, limit: int | None) -> bytes:
    """Return the last *keep* bytes of a body, in memory for two times as many; TooLargeError beyond *limit* bytes."""
    kept, size = bytearray(), 0
    try:
        while chunk := response.read1(CHUNK):
            kept += chunk
            size += len(chunk)
            if len(kept) > 2 * keep:
                del kept[:-keep]
            _check((), size, deadline, size if limit is None else limit)
    except BaseException:
        response.close()
        raise
    response.release_conn()
    return bytes(kept[-keep:])


def feed(response: BaseHTTPResponse, deadline: Deadline, take: Callable[[bytes], bool]) -> None:
    """Pass the chunks of a body to *take* until it ends or *take* returns False; TimeoutError after *deadline*."""
    try:
        while chunk := response.read1(CHUNK):
            if not take(chunk):
                response.close()
                return
            _check((), 0, deadline, 0)
    except BaseException:
        response.close()
        raise
    response.release_conn()


def lines(response: BaseHTTPResponse, deadline: Deadline, limit: int) -> Generator[bytes, None, None]:
    """Yield the lines of a body until it ends or *deadline* is over; TooLargeError if a line exceeds *limit* bytes."""
    rest = b""
    for chunk in chunks(response, deadline):
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > limit:
            raise TooLargeError
        yield from whole


def chunks(response: BaseHTTPResponse, deadline: Deadline) -> Generator[bytes, None, None]:
    """Yield the chunks of a body until it ends or *deadline* is over."""
    timer = Timer(deadline.remaining, shut_down, [response])
    timer.daemon = True
    timer.start()
    try:
        while chunk := response.read1(CHUNK):
            yield chunk
    except (ValueError, AttributeError):
        # A TLS socket of Python may raise these when another thread shuts it down during a read.
        if deadline.remaining:
            raise
    finally:
        timer.cancel()
        response.close()


def shut_down(response: BaseHTTPResponse) -> None:
    """Shut down the connection of *response*, which ends a read in another thread."""
    with suppress(OSError, RuntimeError):  # RuntimeError: the response has just ended
        response.shutdown()


def _check(chunks: Sequence[bytes], size: int, deadline: Deadline, limit: int) -> None:
    if not deadline.remaining:
        raise TimeoutError
    if size > limit:
        raise TooLargeError(b"".join(chunks))
