"""Requests to the API with retries, and errors from problem documents.

A request is repeated after 429, 502, 503, 504 and a broken connection if that cannot do anything twice: a GET, PUT or
DELETE, or a POST with an Idempotency-Key. Retry-After is heeded. A POST without a key is sent once, on a connection of
its own, because the server may have closed one that is idle.
"""

from __future__ import annotations

import json
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn, Protocol
from urllib.parse import quote, urlencode, urlsplit

from researcher.connection import BROKEN, Connection
from researcher.errors import Unavailable, UsageError
from researcher.models import API_VERSION
from researcher.responses import Answer, checked, is_certificate_error, parse_retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from researcher.connection import Response

REPEATED = {429, 502, 503, 504}
ATTEMPTS = 6
FIRST_DELAY = 0.5
LONGEST_DELAY = 60.0
Query = "Mapping[str, object]"


class TokenSource(Protocol):
    """Where the access tokens come from."""

    def bearer(self, *, refused: str | None = None) -> str | None:
        """Return a token that is valid now, and not the one that the server has *refused*."""


class Transport:
    """Sends requests to the API at *url*; each thread has a connection of its own."""

    def __init__(  # noqa: PLR0913 - settings
        self,
        url: str,
        tokens: TokenSource,
        *,
        ca_file: str | None = None,
        timeout: float = 60.0,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self._path = urlsplit(self.url).path
        self._tokens = tokens
        self._ca_file = ca_file
        self._timeout = timeout
        self._attempts = attempts
        self._sleep = sleep
        self._local = threading.local()

    def get(self, path: str, query: Mapping[str, object] | None = None, *, timeout: float | None = None) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON document at *path*."""
        return self.send("GET", path, query=query, timeout=timeout).document()

    def send(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        attempts: int | None = None,
        anonymous: bool = False,
        idempotent: bool = False,
    ) -> Answer:
        """Send a request, repeat it where that is safe, and return the response; raise ApiError for an error.

        A POST is repeated if it has a *key*, or is *idempotent*: the API promises that its repetition changes nothing.
        """
        target = f"{self._path}{path}{_query(query)}"
        sent = {"Accept": "application/json", "User-Agent": f"researcher-client/{API_VERSION}", **(headers or {})}
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        if key:
            sent["Idempotency-Key"] = key
        repeatable = method != "POST" or key is not None or idempotent
        exchange = _Exchange(self, method, target, sent, content, timeout or self._timeout, anonymous=anonymous)
        return exchange.run((attempts or self._attempts) if repeatable else 1, fresh=not repeatable)

    def connection(self) -> Connection:
        """Return the connection of this thread."""
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = Connection(self.url, ca_file=self._ca_file, timeout=self._timeout)
        return connection

    def bearer(self, refused: str | None = None) -> str | None:
        """Return an access token."""
        return self._tokens.bearer(refused=refused)

    def pause(self, attempt: int, retry_after: str | None) -> None:
        """Wait before the next attempt."""
        # Clients that failed at the same time do not come back at the same time.
        spread = 0.5 + (time.monotonic_ns() % 1000) / 1000
        self._sleep(min(parse_retry_after(retry_after) or FIRST_DELAY * 2**attempt * spread, LONGEST_DELAY))


class _Exchange:
    """One request and its attempts."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a request
        self,
        transport: Transport,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes | None,
        timeout: float,
        *,
        anonymous: bool,
    ) -> None:
        self._transport = transport
        self._anonymous = anonymous
        self._request = (method, target, headers, body, timeout)

    def run(self, attempts: int, *, fresh: bool) -> Answer:
        """Send the request until there is a response that can be used, or the attempts are used up."""
        for attempt in range(attempts):
            last = attempt == attempts - 1
            try:
                response = self._authorized(fresh=fresh or attempt > 0)
            except BROKEN as error:
                if last or is_certificate_error(error):
                    self._fail(error)
                self._transport.pause(attempt, None)
                continue
            if response.status not in REPEATED or last:
                return Answer(checked(response, repeated=attempt > 0), repeated=attempt > 0)
            self._transport.pause(attempt, response.headers.get("retry-after"))
        raise AssertionError("at least one attempt is made")

    def _authorized(self, *, fresh: bool) -> Response:
        """Send the request with a token, and again with another one if the server refuses the first."""
        token = None if self._anonymous else self._transport.bearer()
        response = self._send(token, fresh=fresh)
        if response.status == HTTPStatus.UNAUTHORIZED and token is not None:
            renewed = self._transport.bearer(refused=token)
            if renewed and renewed != token:
                return self._send(renewed, fresh=False)
        return response

    def _send(self, token: str | None, *, fresh: bool) -> Response:
        method, target, headers, body, timeout = self._request
        connection = self._transport.connection()
        if fresh:
            connection.close()
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        return connection.send(method, target, headers | authorization, body, timeout)

    def _fail(self, error: Exception) -> NoReturn:
        host = urlsplit(self._transport.url).netloc
        if is_certificate_error(error):
            raise Unavailable(
                f"The certificate of {host} is not trusted. If a proxy or a private authority issued it, "
                "set RESEARCHER_CA_FILE to the file of that authority's certificate."
            ) from error
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Unavailable(f"{host} does not respond: {reason}.") from error


def path_of(*parts: str) -> str:
    """Return a path of the API from its unescaped parts; refuse one that would lead to another path."""
    for part in parts:
        if part in {"", ".", ".."}:
            raise UsageError(f"{part!r} is not a name.")
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def _query(query: Mapping[str, object] | None) -> str:
    pairs = [
        (name, each)
        for name, value in (query or {}).items()
        if value is not None
        for each in (value if isinstance(value, (list, tuple)) else [value])
    ]
    return f"?{urlencode([(name, _parameter(value)) for name, value in pairs])}" if pairs else ""


def _parameter(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
