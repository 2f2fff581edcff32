"""Answers read in bounded time and memory: a time-out for each read does not stop a body that drips."""

from __future__ import annotations

from contextlib import suppress
from threading import Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    from urllib3 import BaseHTTPResponse

    from chalicelib.deadline import Deadline

CHUNK = 2**16


class TooLargeError(OSError):
    """The body is longer than anybody needs; *start* is what was read of it."""

    def __init__(self, start: bytes = b"") -> None:
        super().__init__()
        self.start = start


def read(response: BaseHTTPResponse, deadline: Deadline, limit: int) -> bytes:
    """The whole body; TimeoutError after *deadline*, TooLargeError beyond *limit* bytes."""
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


def lines(response: BaseHTTPResponse, deadline: Deadline, limit: int) -> Generator[bytes, None, None]:
    """The lines of a body until it ends or *deadline* is over, when it is cut off; TooLargeError for a long line."""
    # A time-out between bytes would wait anew after each of them.
    end = Timer(deadline.remaining, cut_off, [response])
    end.daemon = True
    end.start()
    rest = b""
    try:
        while chunk := response.read1(CHUNK):
            *whole, rest = (rest + chunk).split(b"\n")
            if len(rest) > limit:
                raise TooLargeError
            yield from whole
    except (ValueError, AttributeError):
        # What a TLS socket of Python raises that another thread cuts off between two of its own steps.
        if deadline.remaining:
            raise
    finally:
        end.cancel()
        response.close()


def cut_off(response: BaseHTTPResponse) -> None:
    """Ends *response* for whoever reads it, in another thread."""
    with suppress(OSError, RuntimeError):  # RuntimeError: it has ended by itself, a moment ago
        response.shutdown()


def _check(chunks: list[bytes], size: int, deadline: Deadline, limit: int) -> None:
    if not deadline.remaining:
        raise TimeoutError
    if size > limit:
        raise TooLargeError(b"".join(chunks))
