"""A cache of the public keys (JWKS) of one token issuer; issuers share none of it.

* Keys are fetched when a token has an unknown `kid`, or when the cached keys are older than FRESH_SECONDS.
* A failed fetch keeps the cached keys, so that tokens are verified during an outage of the issuer, for STALE_SECONDS.
* There is at most one fetch in COOL_DOWN_SECONDS, whether it succeeds or fails, because any client can send a token
  with an unknown `kid`.
* The keys of an issuer that cannot be reached are given in the configuration; nothing is fetched for it.
* The discovery document has to name the configured issuer, and both documents come over TLS, except from loopback.
"""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jwt
from urllib3.exceptions import HTTPError

from chalicelib.adapters.http import bounded_body, kept_connections, pool
from chalicelib.adapters.http.connection_failures import UNTRUSTED, failure_reason
from chalicelib.domain.errors import REPORT_TO_OPERATORS, IssuerUnavailable
from chalicelib.domain.failure_reasons import FailureReason, note_reason, status_reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from urllib3 import BaseHTTPResponse

    from chalicelib.deadline import Deadline

FRESH_SECONDS = 300
"""How long fetched keys are used before they are fetched again."""
STALE_SECONDS = 24 * 3600
"""How long they are used if they cannot be fetched again."""
COOL_DOWN_SECONDS = 30
"""The minimum time between two fetches."""
MAX_DOCUMENT = 2**18

FETCH_SECONDS = 5.0
"""The time limit for both documents together."""
CONNECT_SECONDS = 2.0

_UNREACHABLE = "The token issuer cannot be reached, so tokens cannot be verified. Try again later."
_UNTRUSTED = f"The TLS certificate of the token issuer cannot be verified. {REPORT_TO_OPERATORS}"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class UnusableKeysError(Exception):
    """The issuer's response cannot be used; the text is the reason, for the log."""


class KeySet:
    """The cached keys of one issuer."""

    def __init__(self, issuer: str, clock: Callable[[], float] = time.monotonic, authorities: str = "") -> None:
        self._issuer = issuer.rstrip("/")
        self._clock = clock
        self._pool = pool.private_pool(authorities) if authorities else pool.pool()
        self._lock = Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._failure = ""

    def find(self, key_id: str, deadline: Deadline) -> jwt.PyJWK | None:
        """Return the key with *key_id*, or None if the issuer has none.

        Raises:
            IssuerUnavailable: the cached keys are older than STALE_SECONDS, and no fetch succeeded before *deadline*.
        """
        with self._lock:
            now = self._clock()
            age = now - self._fetched_at
            if (key_id not in self._keys or age > FRESH_SECONDS) and now - self._tried_at >= COOL_DOWN_SECONDS:
                self._refresh(now, deadline.within(FETCH_SECONDS))
            if now - self._fetched_at > STALE_SECONDS:
                raise self._unavailable(int(self._tried_at + COOL_DOWN_SECONDS - now) + 1)
            return self._keys.get(key_id)

    def _refresh(self, now: float, deadline: Deadline) -> None:
        self._tried_at = now
        try:
            self._keys = self._fetch(deadline)
            self._fetched_at = now
        except UnusableKeysError as error:
            self._failure = str(error)
        except ValueError:
            self._failure = FailureReason.INVALID_URL
        except (HTTPError, OSError) as error:
            self._failure = failure_reason(error)
        # After a failure the cached keys stay in use, up to STALE_SECONDS.

    def _unavailable(self, retry_after: int) -> IssuerUnavailable:
        """Return the error for a lookup without keys; its note has the reason and the issuer, for the log."""
        if self._failure in UNTRUSTED:
            error = IssuerUnavailable(_UNTRUSTED)
        else:
            error = IssuerUnavailable(_UNREACHABLE, retry_after=retry_after)
        return note_reason(error, f"{self._failure} ({self._issuer})", "issuer")

    def _fetch(self, deadline: Deadline) -> dict[str, jwt.PyJWK]:
        discovery = self._get(f"{self._issuer}/.well-known/openid-configuration", deadline)
        if str(discovery.get("issuer")).rstrip("/") != self._issuer:
            raise UnusableKeysError(FailureReason.ISSUER_MISMATCH)
        return usable_keys(self._get(str(discovery.get("jwks_uri")), deadline))

    def _get(self, url: str, deadline: Deadline) -> dict[str, Any]:
        """Get the JSON object at *url*, over TLS except from loopback, in bounded time and memory."""
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise UnusableKeysError(FailureReason.INSECURE_URL)
        if not deadline.remaining:
            raise UnusableKeysError(FailureReason.DEADLINE_EXCEEDED)

        def get() -> BaseHTTPResponse:
            timeout = kept_connections.time_left(deadline, CONNECT_SECONDS, FETCH_SECONDS)
            return self._pool.request("GET", url, timeout=timeout, retries=False, redirect=False, preload_content=False)

        response = kept_connections.send(get, self._pool).response
        body = bounded_body.read(response, deadline, MAX_DOCUMENT)
        if response.status != HTTPStatus.OK:  # redirects are not followed
            raise UnusableKeysError(status_reason(response.status))
        return _json_object(body)


class GivenKeys:
    """The keys of an issuer that the functions cannot reach, from the JSON Web Key Set *document*."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._keys = usable_keys(document)

    def find(self, key_id: str, deadline: Deadline) -> jwt.PyJWK | None:
        """Return the key with *key_id*, or None."""
        del deadline
        return self._keys.get(key_id)


def usable_keys(document: dict[str, Any]) -> dict[str, jwt.PyJWK]:
    """Return the keys for signatures in the JSON Web Key Set *document*; UnusableKeysError if there are none."""
    try:
        found = jwt.PyJWKSet.from_dict(document).keys
    except (jwt.PyJWTError, TypeError) as error:  # TypeError: a key whose alg is not hashable
        raise UnusableKeysError(FailureReason.INVALID_KEY_SET) from error
    keys = {key.key_id: key for key in found if isinstance(key.key_id, str) and key.public_key_use in (None, "sig")}
    if not keys:
        raise UnusableKeysError(FailureReason.NO_USABLE_KEYS)
    return keys


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnusableKeysError(FailureReason.INVALID_JSON) from error
    if not isinstance(document, dict):
        raise UnusableKeysError(FailureReason.INVALID_JSON)
    return document
