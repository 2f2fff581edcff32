"""HTTP/1.1 on a connection: requests in, replies out. h11 reads and writes the bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.utils import formatdate
from http.client import responses
from typing import TYPE_CHECKING, NamedTuple

import h11

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

MAX_HEAD = 256 * 1024
MAX_BODY = 10 * 2**20
"""API Gateway's limit for a payload."""
MAX_DRAINED = 8 * MAX_BODY
"""A body that is too large is read this far, so that the client comes to read why it was refused."""

Headers = list[tuple[str, str]]

_AUTHORITY = re.compile(r"\Ahttps?://[^/?#]+")
_BODILESS = {204, 304}
_OURS = {"connection", "content-length", "date", "keep-alive", "transfer-encoding"}


class HttpSyntaxError(Exception):
    """A request that cannot be read; the connection ends after the answer."""

    def __init__(self, detail: str, *, too_large: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.too_large = too_large


class HttpRequest(NamedTuple):
    """A request as it was sent: header names keep their case, header lines their order."""

    method: str
    target: str
    headers: Headers
    body: bytes


@dataclass(frozen=True)
class HttpResponse:
    """An answer, whole in its *body* or, where it comes bit by bit, in its *stream*."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    stream: Iterator[bytes] | None = None

    def header(self, name: str) -> str | None:
        """The value of the first header called *name*."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class HttpConnection:
    """The server's side of one client's *connection*."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        self._method = ""

    def read(self) -> HttpRequest | None:
        """The next request, or None when the client has closed the connection; WireError when it is no request."""
        try:
            event = self._next_event()
            if not isinstance(event, h11.Request):
                return None
            self._method = event.method.decode()
            headers = [(name.decode(), value.decode("latin-1")) for name, value in event.headers.raw_items()]
            return HttpRequest(self._method, _origin_form(event.target.decode()), headers, self._body())
        except h11.RemoteProtocolError as error:
            raise HttpSyntaxError(f"The request is not HTTP/1.1: {error}.") from error

    def write(self, reply: HttpResponse, *, last: bool = False) -> bool:
        """Sends *reply*, in one packet unless it is a stream; whether another request may follow."""
        written = self._bytes(_response(reply, last=last))
        if reply.stream is not None:
            self._socket.sendall(written)
            for piece in reply.stream:
                self._socket.sendall(self._bytes(h11.Data(data=piece)))
            written = b""
        elif self._method != "HEAD" and reply.status not in _BODILESS:
            written += self._bytes(h11.Data(data=reply.body))
        self._socket.sendall(written + self._bytes(h11.EndOfMessage()))
        if last or self._http.our_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    def _bytes(self, event: h11.Event) -> bytes:
        return self._http.send(event) or b""

    def _body(self) -> bytes:
        kept, total = bytearray(), 0
        while isinstance(event := self._next_event(), h11.Data) and total <= MAX_DRAINED:
            total += len(event.data)
            if total <= MAX_BODY:
                kept += event.data
        if total > MAX_BODY:
            raise HttpSyntaxError(f"The body is larger than {MAX_BODY} bytes.", too_large=True)
        return bytes(kept)

    def _next_event(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                go_ahead = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
                self._socket.sendall(self._bytes(go_ahead))
            self._http.receive_data(self._socket.recv(2**16))
        return event


def _response(reply: HttpResponse, *, last: bool) -> h11.Response:
    """The head of *reply*. Its length is ours alone: a header of a site would break the framing."""
    headers = [("Date", formatdate(usegmt=True))]
    headers += [(name, value) for name, value in reply.headers if name.lower() not in _OURS]
    if reply.stream is None and reply.status not in _BODILESS:
        headers.append(("Content-Length", str(len(reply.body))))
    if last:
        headers.append(("Connection", "close"))
    lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return h11.Response(status_code=reply.status, headers=lines, reason=responses.get(reply.status, "").encode())


def _origin_form(target: str) -> str:
    path = _AUTHORITY.sub("", target) or "/"
    if not path.startswith("/") or "#" in path:
        raise HttpSyntaxError("The request's target is not a path.")
    return path
