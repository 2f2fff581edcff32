"""HTTP to the API server, through the official client's connection pool, with our own deadline and retries.

The client's typed models cost 300 ms of a cold start and its retries sleep unseen, past any time-out; so this takes the
pool of its RESTClientObject, and sends and reads raw JSON.
"""

from __future__ import annotations

import base64
import random
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec
from urllib3 import HTTPHeaderDict, Timeout
from urllib3.exceptions import HTTPError

from chalicelib.adapters.http import bounded_body
from chalicelib.adapters.http.connection_failures import TLS_VERIFICATION, certificate_problem, failure_reason
from chalicelib.adapters.kubernetes.circuit_breaker import CircuitBreaker
from chalicelib.adapters.kubernetes.connection_pool import ClusterPool
from chalicelib.adapters.kubernetes.errors import ResponseTooLarge
from chalicelib.domain.errors import (
    REPORT_TO_OPERATORS,
    ClusterUnavailable,
    CredentialsUnavailable,
    DeadlineExceeded,
    ResearcherError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from urllib3 import BaseHTTPResponse

    from chalicelib.adapters.aws.eks_tokens import EksTokens
    from chalicelib.deadline import Deadline

ATTEMPTS = 3
CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
PAUSE_SECONDS = 0.1
MAX_RESPONSE = 16 * 2**20
"""More than one object takes: etcd takes 1.5 MiB, which are 9 MiB of JSON where each byte is written as six, as Go
writes `<`. An ordinary page of 500 Jobs has 7 MB; `pages` divides one that is too large for a function's memory."""

MERGE_PATCH = "application/merge-patch+json"
_JITTER = random.SystemRandom()
"""Without a seed, which functions that start from one snapshot would share."""
_RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
_FUTURE_VERSION = b"Too large resource version"  # of a page token: the cluster has waited for it, in vain


class ApiRequest(msgspec.Struct, frozen=True):
    """One request to the API server. Parts of *path* are checked names."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    content_type: str = "application/json"


class ApiResponse(msgspec.Struct, frozen=True):
    """What the API server answered; *repeated* when an earlier attempt may have been carried out already."""

    status: int
    body: bytes
    retry_after: int | None
    repeated: bool = False


class NoResponse(msgspec.Struct, frozen=True):
    """An attempt that got no answer, and why: one of `connection_failures.REASONS`."""

    reason: str


def parameters(**given: str | int | None) -> tuple[tuple[str, str], ...]:
    """A Call's query; what is None or empty is left out."""
    return tuple((name, str(value)) for name, value in given.items() if value not in {None, ""})


class KubernetesApi:
    """One cluster's API server."""

    def __init__(self, endpoint: str, ca: str, tokens: EksTokens, clock: Callable[[], float] = time.monotonic) -> None:
        self._endpoint = endpoint
        self._pool = ClusterPool(base64.b64decode(ca).decode())
        self._tokens = tokens
        self._breaker = CircuitBreaker(clock)

    def send(self, request: ApiRequest, headers: Iterable[tuple[str, str]], deadline: Deadline) -> ApiResponse:
        """The answer to *call*, tried again where that is safe; every call is: names are fixed before the first try."""
        lines = list(headers)
        fresh = renewed = repeated = False
        for attempt in range(1, ATTEMPTS + 1):
            response = self._attempt(request, lines, deadline, fresh=fresh)
            fresh = False
            if isinstance(response, NoResponse) or (
                response.status in _RETRIED_STATUSES and _FUTURE_VERSION not in response.body
            ):
                # A throttled call was turned away before anything was done.
                repeated |= isinstance(response, NoResponse) or response.status != 429  # noqa: PLR2004 - TooManyRequests
                _pause(response, attempt, deadline, last=attempt == ATTEMPTS)
            elif response.status == 401 and not renewed:  # noqa: PLR2004 - expired, or our role is new there
                fresh = renewed = True
            else:
                return ApiResponse(response.status, response.body, response.retry_after, repeated)
        raise CredentialsUnavailable(f"The cluster does not accept this API's token. {REPORT_TO_OPERATORS}")

    def lines(
        self, request: ApiRequest, headers: Iterable[tuple[str, str]], deadline: Deadline
    ) -> Generator[bytes, None, None]:
        """The lines of a stream, until it ends, breaks or *deadline* is over. Tried once: its reader knows to go on."""
        with suppress(HTTPError, OSError):
            response = self._request(request, headers, deadline, deadline.remaining)
            if response.status == 200:  # noqa: PLR2004 - OK
                yield from bounded_body.lines(response, deadline, MAX_RESPONSE)

    def _attempt(
        self, request: ApiRequest, lines: list[tuple[str, str]], deadline: Deadline, *, fresh: bool
    ) -> ApiResponse | NoResponse:
        """One request and its answer; ClusterUnavailable where another attempt is useless."""
        started = time.monotonic()
        try:
            raw = self._request(request, lines, deadline, READ_SECONDS, fresh=fresh)
            response = ApiResponse(raw.status, bounded_body.read(raw, deadline, MAX_RESPONSE), _retry_after(raw))
        except bounded_body.TooLargeError as error:
            self._breaker.answered()
            raise ResponseTooLarge(error.start) from error
        except (HTTPError, OSError) as error:
            reason = failure_reason(error)
            if reason == TLS_VERIFICATION:
                self._breaker.answered()
                raise _untrusted_certificate(error) from error
            self._breaker.failed()
            return NoResponse(reason)
        finally:
            deadline.attempts.append(time.monotonic() - started)
        self._breaker.answered()
        return response

    def _request(
        self,
        request: ApiRequest,
        lines: Iterable[tuple[str, str]],
        deadline: Deadline,
        read: float,
        *,
        fresh: bool = False,
    ) -> BaseHTTPResponse:
        """The answer's head; its body may be silent for *read* seconds, and not beyond *deadline*."""
        token = self._tokens.token(deadline, fresh=fresh)
        headers = HTTPHeaderDict([("Authorization", f"Bearer {token}"), ("Accept", "application/json")])
        headers.extend([("Content-Type", request.content_type), *lines])
        if deadline.request_id:
            headers.add("Audit-ID", deadline.request_id)  # the API server's audit log calls the call by it
        url = self._endpoint + request.path + ("?" + urlencode(request.query) if request.query else "")
        left = deadline.remaining
        if not left:
            raise DeadlineExceeded("The cluster took too long. Try again.")
        self._breaker.check()
        timeout = Timeout(connect=min(CONNECT_SECONDS, left), read=min(read, left))
        return self._pool.request(request.method, url, body=request.body, headers=headers, timeout=timeout)


def _pause(response: ApiResponse | NoResponse, attempt: int, deadline: Deadline, *, last: bool) -> None:
    """Waits before the next attempt; raises where waiting is useless or would pass the deadline."""
    asked = response.retry_after if isinstance(response, ApiResponse) else None
    pause = float(asked) if asked else PAUSE_SECONDS * 2**attempt * _JITTER.uniform(0.5, 1.5)
    if deadline.remaining and pause < deadline.remaining and not last:
        time.sleep(pause)
        return
    raise _failure(response, deadline, asked or 1)


def _failure(response: ApiResponse | NoResponse, deadline: Deadline, retry_after: int) -> ResearcherError:
    """The error after the last attempt; its note says in the log why."""
    error: ResearcherError
    if not deadline.remaining:
        error = DeadlineExceeded("The cluster took too long. Try again.")
    elif isinstance(response, NoResponse):
        error = ClusterUnavailable("The cluster cannot be reached. Try again later.", retry_after=retry_after)
    else:
        error = ClusterUnavailable("The cluster is too busy to answer. Try again later.", retry_after=retry_after)
    error.add_note(response.reason if isinstance(response, NoResponse) else f"status_{response.status}")
    return error


def _untrusted_certificate(error: BaseException) -> ClusterUnavailable:
    """The error for a cluster whose certificate does not pass: no time to try again, since only a change helps."""
    refusal = ClusterUnavailable(
        f"The TLS certificate of the cluster {certificate_problem(error)}. {REPORT_TO_OPERATORS}"
    )
    refusal.add_note(TLS_VERIFICATION)
    return refusal


def _retry_after(response: BaseHTTPResponse) -> int | None:
    text = response.headers.get("Retry-After", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None  # noqa: PLR2004 - under 28 hours
