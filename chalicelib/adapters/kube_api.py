"""HTTP to the API server, through the official client's connection pool, with our own deadline and retries.

The client's typed models cost 300 ms of a cold start and its retries sleep unseen, past any time-out; so this takes its
RESTClientObject, and sends and reads raw JSON.
"""

from __future__ import annotations

import base64
import random
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec
from kubernetes.client.rest import RESTClientObject
from urllib3 import HTTPHeaderDict, Timeout
from urllib3.exceptions import HTTPError

from chalicelib.adapters import bounded
from chalicelib.adapters.breaker import Breaker
from chalicelib.domain.errors import ClusterUnavailable, CredentialsUnavailable, DeadlineExceeded

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from urllib3 import BaseHTTPResponse

    from chalicelib.adapters.eks import EksTokens
    from chalicelib.deadline import Deadline

ATTEMPTS = 3
CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
PAUSE_SECONDS = 0.1
CONNECTIONS = 16
MAX_ANSWER = 96 * 2**20
"""A page of 500 Jobs with the largest submission, which each of them holds twice: as its spec, and as it was asked."""

MERGE_PATCH = "application/merge-patch+json"
_JITTER = random.SystemRandom()
"""Without a seed, which functions that start from one snapshot would share."""
_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})


class Configuration(msgspec.Struct, frozen=True):
    """What RESTClientObject reads of the client's Configuration, with the same defaults, but nobody's proxy.

    The client's own module is 10 ms of a cold start, and finds a proxy in the environment.
    """

    ca_cert_data: str
    connection_pool_maxsize: int = CONNECTIONS
    verify_ssl: bool = True
    ssl_ca_cert: None = None
    cert_file: None = None
    key_file: None = None
    assert_hostname: None = None
    tls_server_name: None = None
    retries: None = None
    socket_options: None = None
    proxy: None = None


class Call(msgspec.Struct, frozen=True):
    """One request to the API server. Parts of *path* are checked names."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    content_type: str = "application/json"


class Answer(msgspec.Struct, frozen=True):
    """What the API server answered; *repeated* when an earlier attempt may have been carried out already."""

    status: int
    body: bytes
    retry_after: int | None
    repeated: bool = False


def parameters(**given: str | int | None) -> tuple[tuple[str, str], ...]:
    """A Call's query; what is None or empty is left out."""
    return tuple((name, str(value)) for name, value in given.items() if value not in {None, ""})


class KubernetesApi:
    """One cluster's API server."""

    def __init__(self, endpoint: str, ca: str, tokens: EksTokens, clock: Callable[[], float] = time.monotonic) -> None:
        self._endpoint = endpoint
        self._pool = RESTClientObject(Configuration(base64.b64decode(ca).decode())).pool_manager
        self._tokens = tokens
        self._breaker = Breaker(clock)

    def send(self, call: Call, headers: Iterable[tuple[str, str]], deadline: Deadline) -> Answer:
        """The answer to *call*, tried again where that is safe; every call is: names are fixed before the first try."""
        lines = list(headers)
        fresh = renewed = repeated = False
        for attempt in range(1, ATTEMPTS + 1):
            answer = self._attempt(call, lines, deadline, fresh=fresh)
            fresh = False
            if answer is None or answer.status in _TRY_AGAIN:
                # A throttled call was turned away before anything was done.
                repeated |= answer is None or answer.status != 429  # noqa: PLR2004 - TooManyRequests
                _pause(answer, attempt, deadline, last=attempt == ATTEMPTS)
            elif answer.status == 401 and not renewed:  # noqa: PLR2004 - expired, or our role is new there
                fresh = renewed = True
            else:
                return Answer(answer.status, answer.body, answer.retry_after, repeated)
        raise CredentialsUnavailable("The cluster does not accept this API's token. Tell whoever deployed it.")

    def lines(self, call: Call, headers: Iterable[tuple[str, str]], deadline: Deadline) -> Generator[bytes, None, None]:
        """The lines of a stream, until it ends, breaks or *deadline* is over. Tried once: its reader knows to go on."""
        with suppress(HTTPError, OSError):
            response = self._request(call, headers, deadline, deadline.remaining)
            if response.status == 200:  # noqa: PLR2004 - OK
                yield from bounded.lines(response, deadline, MAX_ANSWER)

    def _attempt(self, call: Call, lines: list[tuple[str, str]], deadline: Deadline, *, fresh: bool) -> Answer | None:
        """The answer, or None when there was none."""
        started = time.monotonic()
        try:
            response = self._request(call, lines, deadline, READ_SECONDS, fresh=fresh)
            answer = Answer(response.status, bounded.read(response, deadline, MAX_ANSWER), _retry_after(response))
        except bounded.TooLargeError as error:
            self._breaker.answered()
            raise ClusterUnavailable("The cluster's answer is too large. Ask for fewer Jobs with limit.") from error
        except (HTTPError, OSError):
            self._breaker.failed()
            return None
        finally:
            deadline.attempts.append(time.monotonic() - started)
        self._breaker.answered()
        return answer

    def _request(
        self, call: Call, lines: Iterable[tuple[str, str]], deadline: Deadline, read: float, *, fresh: bool = False
    ) -> BaseHTTPResponse:
        """The answer's head; its body may be silent for *read* seconds, and not beyond *deadline*."""
        token = self._tokens.token(deadline, fresh=fresh)
        headers = HTTPHeaderDict([("Authorization", f"Bearer {token}"), ("Accept", "application/json")])
        headers.extend([("Content-Type", call.content_type), *lines])
        if deadline.request_id:
            headers.add("Audit-ID", deadline.request_id)  # the API server's audit log calls the call by it
        url = self._endpoint + call.path + ("?" + urlencode(call.query) if call.query else "")
        left = deadline.remaining
        if not left:
            raise DeadlineExceeded("The cluster took too long. Try again.")
        self._breaker.check()
        timeout = Timeout(connect=min(CONNECT_SECONDS, left), read=min(read, left))
        response: BaseHTTPResponse = self._pool.request(
            call.method, url, body=call.body, headers=headers, timeout=timeout,
            retries=False, redirect=False, preload_content=False,
        )  # fmt: skip
        return response


def _pause(answer: Answer | None, attempt: int, deadline: Deadline, *, last: bool) -> None:
    """Waits before the next attempt; raises where waiting is useless or would pass the deadline."""
    asked = answer.retry_after if answer else None
    pause = float(asked) if asked else PAUSE_SECONDS * 2**attempt * _JITTER.uniform(0.5, 1.5)
    if not deadline.remaining:
        raise DeadlineExceeded("The cluster took too long. Try again.")
    if last or pause >= deadline.remaining:
        message = "The cluster cannot be reached." if answer is None else "The cluster is too busy to answer."
        raise ClusterUnavailable(f"{message} Try again later.", retry_after=asked or 1)
    time.sleep(pause)


def _retry_after(response: BaseHTTPResponse) -> int | None:
    text = response.headers.get("Retry-After", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None  # noqa: PLR2004 - under 28 hours
