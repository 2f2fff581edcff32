"""HTTP/1.1 on the wire (RFC 9112): bytes to a request, a Reply to bytes.

Strict on purpose: what two readers could understand differently is refused, never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedIOBase

MAX_LINE = 16 * 1024
MAX_HEADERS = 100
MAX_BODY = 10 * 2**20
"""API Gateway's limit for a payload."""
MAX_DRAINED = 8 * MAX_BODY
"""A body that is too large is read this far, so that the client comes to read why it was refused."""

Headers = list[tuple[str, str]]

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rf"({_NAME}) ([!-~]+) HTTP/1\.([01])")
_HEADER = re.compile(rf"({_NAME}):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_AUTHORITY = re.compile(r"\Ahttps?://[^/?#]+")
_BODILESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
_OURS = {"connection", "content-length", "date", "keep-alive", "transfer-encoding"}


class WireError(Exception):
    """A request that cannot be read; the connection ends after the answer."""

    def __init__(self, detail: str, *, too_large: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.too_large = too_large


@dataclass(frozen=True)
class Head:
    """A request up to its body."""

    method: str
    target: str
    headers: Headers
    keep_alive: bool

    def values(self, name: str) -> list[str]:
        """The values of every header called *name*, which is in lower case."""
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for a go-ahead before it sends the body."""
        return [value.lower() for value in self.values("expect")] == ["100-continue"]


@dataclass(frozen=True)
class Reply:
    """An answer, whole in its *body* or, where it comes bit by bit, in its *stream*."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    stream: Iterator[bytes] | None = None

    def header(self, name: str) -> str | None:
        """The value of the first header called *name*."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def read_head(stream: BufferedIOBase) -> Head | None:
    """The next request's head, or None when the client has closed the connection."""
    line = _line(stream)
    if line is None:
        return None
    parts = _REQUEST_LINE.fullmatch(line)
    if parts is None:
        raise WireError("The request line is not of the form METHOD /path HTTP/1.1.")
    method, target, minor = parts.groups()
    headers = _headers(stream)
    connection = [value.lower() for name, value in headers if name.lower() == "connection"]
    return Head(method, _origin_form(target), headers, keep_alive=minor == "1" and "close" not in connection)


def read_body(stream: BufferedIOBase, head: Head) -> bytes:
    """The body that *head* announces; one larger than MAX_BODY is refused."""
    kept, total = bytearray(), 0
    for piece in _pieces(stream, head):
        total += len(piece)
        if total <= MAX_BODY:
            kept += piece
        elif total > MAX_DRAINED:
            break
    if total > MAX_BODY:
        raise WireError(f"The body is larger than {MAX_BODY} bytes.", too_large=True)
    return bytes(kept)


def reply_bytes(reply: Reply, *, method: str, keep_alive: bool) -> bytes:
    """*reply* to a request of *method*, in one piece so that it leaves in one packet; of a stream the head alone."""
    lines = [f"HTTP/1.1 {reply.status} {_phrase(reply.status)}", f"Date: {formatdate(usegmt=True)}"]
    lines += [f"{name}: {value}" for name, value in reply.headers if name.lower() not in _OURS]
    bodiless = reply.status in _BODILESS
    if reply.stream is not None:
        lines.append("Transfer-Encoding: chunked")
    elif not bodiless:
        lines.append(f"Content-Length: {len(reply.body)}")
    if not keep_alive:
        lines.append("Connection: close")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return head if bodiless or method == "HEAD" else head + reply.body


def chunk_bytes(piece: bytes) -> bytes:
    """*piece* of a stream; an empty one ends it."""
    return b"%x\r\n%s\r\n" % (len(piece), piece)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Other"


def _origin_form(target: str) -> str:
    path = _AUTHORITY.sub("", target) or "/"
    if not path.startswith("/") or "#" in path:
        raise WireError("The request's target is not a path.")
    return path


def _headers(stream: BufferedIOBase) -> Headers:
    headers: Headers = []
    while line := _line(stream):
        if len(headers) == MAX_HEADERS:
            raise WireError(f"The request has more than {MAX_HEADERS} headers.")
        parts = _HEADER.fullmatch(line)
        if parts is None:
            raise WireError("A header is not of the form Name: value on one line.")
        headers.append((parts[1], parts[2].rstrip(" \t")))
    return headers


def _line(stream: BufferedIOBase) -> str | None:
    raw = stream.readline(MAX_LINE + 1)
    if not raw:
        return None
    if len(raw) > MAX_LINE:
        raise WireError(f"A line of the request is longer than {MAX_LINE} bytes.")
    if not raw.endswith(b"\n"):
        raise WireError("The request ends in the middle of a line.")
    return raw.decode("latin-1").removesuffix("\n").removesuffix("\r")


def _pieces(stream: BufferedIOBase, head: Head) -> Iterator[bytes]:
    codings, lengths = head.values("transfer-encoding"), head.values("content-length")
    if codings and lengths:
        raise WireError("The request has both a Content-Length and a Transfer-Encoding.")
    if codings:
        if [coding.lower() for coding in codings] != ["chunked"]:
            raise WireError("The only Transfer-Encoding taken is chunked.")
        return _chunks(stream)
    if not lengths:
        return iter(())
    if len(lengths) > 1 or not re.fullmatch("[0-9]{1,15}", lengths[0]):
        raise WireError("The Content-Length is not one number.")
    return _counted(stream, int(lengths[0]))


def _chunks(stream: BufferedIOBase) -> Iterator[bytes]:
    while size := _chunk_size(stream):
        yield from _counted(stream, size)
        if _line(stream) != "":
            raise WireError("A chunk of the body is longer than it says.")
    _headers(stream)  # trailers: allowed, and meaningless here


def _chunk_size(stream: BufferedIOBase) -> int:
    size = re.fullmatch(r"([0-9A-Fa-f]{1,12})[ \t]*(?:;.*)?", _line(stream) or "")
    if size is None:
        raise WireError("The size of a chunk of the body is not a hexadecimal number.")
    return int(size[1], 16)


def _counted(stream: BufferedIOBase, length: int) -> Iterator[bytes]:
    while length:
        piece = stream.read(min(length, 64 * 1024))
        if not piece:
            raise WireError("The body ends before its announced length.")
        length -= len(piece)
        yield piece
