"""HTTP client of the API server: raw JSON over the official client's connection pool, with a deadline and retries.

The official client's typed models are 300 ms of a cold start, and its retries sleep beyond any time-out. Here, failed
connections, 429 and 5xx are retried with exponential backoff and jitter, or after Retry-After, until the deadline. This
is safe for every request: names are fixed before the first attempt, and `ApiResponse.repeated` says that an earlier one
may have succeeded. A kept connection that was dead is replaced at once (`kept_connections`), by the same rules. A 401
is retried once, with a new token.
"""

from __future__ import annotations

import random
import time
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from urllib3 import HTTPHeaderDict
from urllib3.exceptions import HTTPError

from chalicelib.adapters.http import bounded_body, kept_connections
from chalicelib.adapters.http.connection_failures import UNTRUSTED, failure_reason
from chalicelib.adapters.http.kept_connections import SilentConnectionError
from chalicelib.adapters.kubernetes.api_failures import (
    node_unavailable,
    not_sent,
    token_rejected,
    unavailable,
    untrusted_certificate,
)
from chalicelib.adapters.kubernetes.api_request import ApiRequest, ApiResponse, NoResponse
from chalicelib.adapters.kubernetes.circuit_breaker import CircuitBreaker
from chalicelib.adapters.kubernetes.connection_pool import ClusterPool
from chalicelib.adapters.kubernetes.errors import ResponseTooLarge
from chalicelib.domain.failure_reasons import FailureReason

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from urllib3 import BaseHTTPResponse

    from chalicelib.adapters.aws.eks_tokens import EksTokens
    from chalicelib.adapters.http.bounded_body import BodyReader, Splitter
    from chalicelib.adapters.http.kept_connections import Sent
    from chalicelib.deadline import Deadline


ATTEMPTS = 3
CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
NODE_READ_SECONDS = 4.0
"""For requests that the API server forwards to a node: it waits for a lost node for half a minute."""
PAUSE_SECONDS = 0.1
MAX_RESPONSE = 16 * 2**20
"""Larger than any object: etcd's limit is 1.5 MiB, at most 9 MiB of JSON, because Go escapes `<` as six characters. A
typical page of 500 Jobs is 7 MB; `pagination` divides a page that exceeds this limit."""
_JITTER = random.SystemRandom()
"""Not seeded: functions that are restored from the same snapshot would share the seed."""
_RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
_FINAL = (b"Too large resource version", b"denied the request", b"denied request")
"""In errors that a retry cannot change: the resource version in a page token, and denials of webhooks and policies,
which may have any status."""


def whole(response: BaseHTTPResponse, deadline: Deadline) -> bytes:
    """Return the whole body, of at most MAX_RESPONSE."""
    return bounded_body.read(response, deadline, MAX_RESPONSE)


def split_lines(response: BaseHTTPResponse, deadline: Deadline) -> Generator[bytes, None, None]:
    """Yield the lines of a body, each of at most MAX_RESPONSE."""
    yield from bounded_body.lines(response, deadline, MAX_RESPONSE)


class KubernetesApi:
    """The API server of one cluster."""

    def __init__(
        self, endpoint: str, authorities: str, tokens: EksTokens, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._endpoint = endpoint
        self._pool = ClusterPool(authorities)
        self._tokens = tokens
        self._breaker = CircuitBreaker(clock)

    def send(
        self,
        request: ApiRequest,
        headers: Iterable[tuple[str, str]],
        deadline: Deadline,
        read: BodyReader | None = None,
    ) -> ApiResponse:
        """Send *request* with additional *headers*, retry it if that may help, and return the response.

        *read* returns what is needed of the body of a 200; it is called again for each attempt.
        """
        extra = list(headers)
        fresh = renewed = repeated = False
        for attempt in range(1, ATTEMPTS + 1):
            response = self._attempt(request, extra, deadline, read or whole, fresh=fresh)
            fresh = False
            repeated |= isinstance(response, ApiResponse) and response.repeated
            if request.is_proxied and _is_node_failure(response):
                raise node_unavailable(response)
            if isinstance(response, NoResponse) or (response.status in _RETRIED_STATUSES and not _is_final(response)):
                # A throttled request was rejected before it had any effect.
                repeated |= isinstance(response, NoResponse) or response.status != HTTPStatus.TOO_MANY_REQUESTS
                _pause(response, attempt, deadline, last=attempt == ATTEMPTS)
            elif response.status == HTTPStatus.UNAUTHORIZED and not renewed and not _is_final(response):
                # The token has expired, or the access entry is new.
                fresh = renewed = True
            else:
                return ApiResponse(response.status, response.body, response.retry_after, repeated)
        raise token_rejected()

    def stream(
        self, request: ApiRequest, headers: Iterable[tuple[str, str]], deadline: Deadline, split: Splitter = split_lines
    ) -> Generator[bytes, None, None]:
        """Yield the parts of a stream until it ends, fails or *deadline* is over; not retried, as the caller polls."""
        with suppress(HTTPError, OSError):
            response = self._request(request, headers, deadline, deadline.remaining).response
            if response.status == HTTPStatus.OK:
                yield from split(response, deadline)

    def _attempt(
        self,
        request: ApiRequest,
        extra: list[tuple[str, str]],
        deadline: Deadline,
        read: BodyReader,
        *,
        fresh: bool,
    ) -> ApiResponse | NoResponse:
        """Send *request* once; ClusterUnavailable if a retry is useless."""
        started = time.monotonic()
        try:
            seconds = NODE_READ_SECONDS if request.is_proxied else READ_SECONDS
            sent = self._request(request, extra, deadline, seconds, fresh=fresh)
            raw: BaseHTTPResponse = sent.response
            body = (read if raw.status == HTTPStatus.OK else whole)(raw, deadline)
            response = ApiResponse(raw.status, body, _retry_after(raw), sent.repeated)
        except bounded_body.TooLargeError as error:
            self._breaker.record_success()
            raise ResponseTooLarge(error.start) from error
        except (HTTPError, OSError) as error:
            reason = failure_reason(error)
            if reason in UNTRUSTED:
                self._breaker.record_success()
                raise untrusted_certificate(error, reason) from error
            if not request.is_proxied and not isinstance(error, SilentConnectionError):
                self._breaker.record_failure()
            return NoResponse(reason)
        finally:
            deadline.attempts.append(time.monotonic() - started)
        self._breaker.record_success()
        return response

    def _request(
        self,
        request: ApiRequest,
        extra: Iterable[tuple[str, str]],
        deadline: Deadline,
        read: float,
        *,
        fresh: bool = False,
    ) -> Sent:
        """Send *request* and return the response before its body; *read* is the read time-out in seconds."""
        token = self._tokens.token(deadline, fresh=fresh)
        headers = HTTPHeaderDict([("Authorization", f"Bearer {token}"), ("Accept", "application/json")])
        headers.extend([("Content-Type", request.content_type), *extra])
        if deadline.request_id:
            headers.add("Audit-ID", deadline.request_id)  # becomes the auditID in the API server's audit log
        url = self._endpoint + request.path + ("?" + urlencode(request.query) if request.query else "")
        if not deadline.remaining:
            raise not_sent()
        self._breaker.check()

        def send() -> BaseHTTPResponse:
            timeout = kept_connections.time_left(deadline, CONNECT_SECONDS, read)
            return self._pool.request(request.method, url, body=request.body, headers=headers, timeout=timeout)

        return kept_connections.send(send, self._pool)


def _is_final(response: ApiResponse) -> bool:
    return any(text in response.body for text in _FINAL)


def _is_node_failure(response: ApiResponse | NoResponse) -> bool:
    if isinstance(response, NoResponse):
        return response.reason == FailureReason.READ_TIMEOUT
    return response.status in _RETRIED_STATUSES and response.status != HTTPStatus.TOO_MANY_REQUESTS


def _pause(response: ApiResponse | NoResponse, attempt: int, deadline: Deadline, *, last: bool) -> None:
    """Wait before the next attempt; raise the error if this was the *last* one or the deadline comes first."""
    retry_after = response.retry_after if isinstance(response, ApiResponse) else None
    pause = float(retry_after) if retry_after else PAUSE_SECONDS * 2**attempt * _JITTER.uniform(0.5, 1.5)
    if deadline.remaining and pause < deadline.remaining and not last:
        time.sleep(pause)
        return
    raise unavailable(response, deadline, retry_after or 1)


def _retry_after(response: BaseHTTPResponse) -> int | None:
    text = response.headers.get("Retry-After", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None  # noqa: PLR2004 - under 28 hours
