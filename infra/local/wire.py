"""HTTP/1.1 on a connection: requests in, responses out. h11 parses and serializes the bytes."""

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
"""The most that is read of a body that is too large, so that the client can finish sending and read the error."""

Headers = list[tuple[str, str]]

_AUTHORITY = re.compile(r"\Ahttps?://[^/?#]+")
_BODILESS = {204, 304}
_FRAMING = {"connection", "content-length", "date", "keep-alive", "transfer-encoding"}


class HttpSyntaxError(Exception):
    """The request cannot be parsed; the connection is closed after the response."""

    def __init__(self, detail: str, *, too_large: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.too_large = too_large


class HttpRequest(NamedTuple):
    """A request as it was sent: header names keep their case and header lines their order."""

    method: str
    target: str
    headers: Headers
    body: bytes


@dataclass(frozen=True)
class HttpResponse:
    """A response with a complete *body* or with a *stream* of chunks."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    stream: Iterator[bytes] | None = None

    def header(self, name: str) -> str | None:
        """Return the value of the first header called *name*."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class HttpConnection:
    """The server side of a client *connection*."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        self._method = ""

    def read(self) -> HttpRequest | None:
        """Return the next request, or None if the client closed the connection; HttpSyntaxError if it is invalid."""
        try:
            event = self._next_event()
            if not isinstance(event, h11.Request):
                return None
            self._method = event.method.decode()
            headers = [(name.decode(), value.decode("latin-1")) for name, value in event.headers.raw_items()]
            return HttpRequest(self._method, _origin_form(event.target.decode()), headers, self._body())
        except h11.RemoteProtocolError as error:
            raise HttpSyntaxError(f"The request is not HTTP/1.1: {error}.") from error

    def write(self, response: HttpResponse, *, last: bool = False) -> bool:
        """Send *response*, in one packet unless it is a stream, and return whether another request may follow."""
        written = self._bytes(_head(response, last=last))
        if response.stream is not None:
            self._socket.sendall(written)
            for chunk in response.stream:
                self._socket.sendall(self._bytes(h11.Data(data=chunk)))
            written = b""
        elif self._method != "HEAD" and response.status not in _BODILESS:
            written += self._bytes(h11.Data(data=response.body))
        self._socket.sendall(written + self._bytes(h11.EndOfMessage()))
        if last or self._http.our_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    def _bytes(self, event: h11.Event) -> bytes:
        return self._http.send(event) or b""

    def _body(self) -> bytes:
        body, total = bytearray(), 0
        while isinstance(event := self._next_event(), h11.Data) and total <= MAX_DRAINED:
            total += len(event.data)
            if total <= MAX_BODY:
                body += event.data
        if total > MAX_BODY:
            raise HttpSyntaxError(f"The body is larger than {MAX_BODY} bytes.", too_large=True)
        return bytes(body)

    def _next_event(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                interim = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
                self._socket.sendall(self._bytes(interim))
            self._http.receive_data(self._socket.recv(2**16))
        return event


def _head(response: HttpResponse, *, last: bool) -> h11.Response:
    """Return the head of *response*; framing headers of the handler are replaced by correct ones."""
    headers = [("Date", formatdate(usegmt=True))]
    headers += [(name, value) for name, value in response.headers if name.lower() not in _FRAMING]
    if response.stream is None and response.status not in _BODILESS:
        headers.append(("Content-Length", str(len(response.body))))
    if last:
        headers.append(("Connection", "close"))
    lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return h11.Response(status_code=response.status, headers=lines, reason=responses.get(response.status, "").encode())


def _origin_form(target: str) -> str:
    path = _AUTHORITY.sub("", target) or "/"
    if not path.startswith("/") or "#" in path:
        raise HttpSyntaxError("The request target must be a path.")
    return path
