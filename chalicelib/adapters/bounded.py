"""Answers read in bounded time and memory: a time-out for each read does not stop a body that drips."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

    from chalicelib.deadline import Deadline

CHUNK = 2**16


class TooLargeError(OSError):
    """The body is longer than anybody needs."""


def read(response: BaseHTTPResponse, deadline: Deadline, limit: int) -> bytes:
    """The whole body; TimeoutError after *deadline*, TooLargeError beyond *limit* bytes."""
    body = bytearray()
    try:
        while chunk := response.read1(CHUNK):
            body += chunk
            _check(len(body), deadline, limit)
    except BaseException:
        response.close()
        raise
    response.release_conn()
    return bytes(body)


def _check(size: int, deadline: Deadline, limit: int) -> None:
    if not deadline.remaining:
        raise TimeoutError
    if size > limit:
        raise TooLargeError
