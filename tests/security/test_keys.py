"""The JWKS of the token issuer under attack: floods of unknown keys, and issuers that hang, drip, flood or rotate."""

from __future__ import annotations

import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.adapters.oidc import bearer_tokens
from chalicelib.adapters.oidc.jwks import COOL_DOWN_SECONDS, FRESH_SECONDS, MAX_DOCUMENT, STALE_SECONDS, KeySet
from chalicelib.deadline import Deadline
from chalicelib.domain.errors import IssuerUnavailable, Unauthenticated
from infra.local.issuer import Application, Issuer
from infra.local.wire import HttpResponse
from tests.security.hostile_tokens import bearer, forged
from tests.security.sending import send_raw
from tests.support.builders import token_issuer
from tests.support.scripted_server import FAR_DEADLINE, Clock, RawServer, unused_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack
    from tests.support.attack_recorder import Counter

pytestmark = pytest.mark.attack("keys")

UNKNOWN = 1000
FLOOD = 200 * 2**20
PIECE = b" " * 2**20
MAX_MEMORY = 8 * 2**20
"""The most bytes of memory that reading a response of the issuer may take."""

DOWN = {
    "500": lambda: HttpResponse(500),
    "503": lambda: HttpResponse(503, [("Retry-After", "3600")]),
    "404": lambda: HttpResponse(404),
    "empty": lambda: HttpResponse(200),
    "HTML": lambda: HttpResponse(200, [("Content-Type", "text/html")], b"<html><body>Sign in"),
    "redirect": lambda: HttpResponse(302, [("Location", "http://127.0.0.1:1/")]),
    "no keys": lambda: HttpResponse(200, [], b'{"keys": []}'),
    "no key for signatures": lambda: HttpResponse(
        200, [], b'{"keys": [{"kid": "k", "kty": "oct", "use": "enc", "k": "c2VjcmV0"}]}'
    ),
    "too large": lambda: HttpResponse(200, [], b'{"keys": []' + b" " * MAX_DOCUMENT + b"}"),
    "deep": lambda: HttpResponse(200, [], b"[" * 100_000),
}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """Start an issuer for this test."""
    issuer = Issuer({"alice": Application("secret", ("team-a",))})
    issuer.start()
    yield issuer
    issuer.close()


OTHERS = [token_issuer(f"https://{name}.invalid", prefix=f"{name}:") for name in ("two", "three")]
"""Trusted issuers that are not reached in these tests."""


class Verifier:
    """The API's token verifier for *issuer* and two others, and the clock of its key caches."""

    def __init__(self, issuer: Issuer) -> None:
        self.clock = Clock()
        self._tokens = bearer_tokens.BearerTokens(
            [*OTHERS, token_issuer(issuer.url, prefix="one:")],
            lambda trusted: KeySet(trusted.issuer, self.clock),
        )

    def accepts(self, token: str) -> bool:
        """Return whether it accepts *token*; raise IssuerUnavailable if it cannot decide."""
        try:
            return self._tokens.caller([f"Bearer {token}"], FAR_DEADLINE).subject == "one:alice"
        except Unauthenticated:
            return False


@pytest.mark.parametrize("works", [True, False], ids=["issuer works", "issuer fails"])
def test_flood_of_unknown_keys(issuer: Issuer, counter: Counter, works: bool) -> None:
    """A thousand unknown keys in a minute cause one fetch in 30 seconds, and a known key keeps working."""
    verifier = Verifier(issuer)
    good = issuer.mint("alice")
    assert verifier.accepts(good)
    issuer.jwks_response = None if works else lambda: HttpResponse(500)
    before = issuer.jwks_requests

    for number in range(UNKNOWN):
        assert not verifier.accepts(issuer.mint("alice", headers={"kid": f"guess-{number}"}))
        assert number % 100 or verifier.accepts(good)
        verifier.clock.now += 60 / UNKNOWN

    counter.count(UNKNOWN)
    counter.measure("fetches in 60 s of 1,000 unknown keys", issuer.jwks_requests - before)
    assert issuer.jwks_requests - before <= 60 / COOL_DOWN_SECONDS


def test_flood_through_the_function(stack: Stack[Any], counter: Counter) -> None:
    """A new process without cached keys fetches them once, and each unknown key is 401."""
    bearer_tokens.connect.cache_clear()
    before = stack.issuer.jwks_requests
    started = time.monotonic()

    statuses = {
        send_raw(stack, "GET", "/projects", forged({"kid": f"k{n}"})(stack.issuer)).status for n in range(UNKNOWN)
    }

    counter.count(UNKNOWN)
    assert statuses == {401}
    assert stack.issuer.jwks_requests - before <= 1 + (time.monotonic() - started) // COOL_DOWN_SECONDS
    assert send_raw(stack, "GET", "/projects", bearer(stack.issuer.mint("alice"))).status == 200


@pytest.mark.parametrize("response", DOWN.values(), ids=DOWN)
def test_long_outage(issuer: Issuer, response: Any) -> None:  # noqa: ANN401 - what makes a reply
    """During an outage, a known key is valid for a day, then tokens are rejected until the issuer works again."""
    verifier = Verifier(issuer)
    good = issuer.mint("alice", exp=int(time.time()) + 2 * 86400)
    assert verifier.accepts(good)
    issuer.jwks_response = response

    for _ in range(STALE_SECONDS // 600):
        verifier.clock.now += 600
        assert verifier.accepts(good)
    verifier.clock.now += 600
    with pytest.raises(IssuerUnavailable):
        verifier.accepts(good)
    issuer.jwks_response = None
    verifier.clock.now += COOL_DOWN_SECONDS

    assert verifier.accepts(good)


def test_rotation(issuer: Issuer) -> None:
    """A new key is valid within 30 seconds, and a removed one for 5 more minutes at most."""
    verifier = Verifier(issuer)
    old = issuer.mint("alice")
    assert verifier.accepts(old)
    issuer.rotate()
    new = issuer.mint("alice")

    verifier.clock.now += COOL_DOWN_SECONDS
    assert (verifier.accepts(new), verifier.accepts(old)) == (True, True)
    issuer.rotate(retire=True)
    verifier.clock.now += FRESH_SECONDS + 1
    assert (verifier.accepts(new), verifier.accepts(old)) == (False, False)
    assert verifier.accepts(issuer.mint("alice"))


def flood() -> Iterator[bytes]:
    """Yield a key set of 200 MB."""
    yield b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % FLOOD
    for _ in range(FLOOD // len(PIECE)):
        yield PIECE


def drip() -> Iterator[bytes]:
    """Yield a key set, one byte at a time."""
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    while True:
        yield b" "


@pytest.mark.parametrize(
    ("pieces", "pause"),
    [pytest.param(flood(), 0, id="200 MB"), pytest.param(drip(), 0.05, id="drip"), pytest.param([b""], 60, id="hang")],
)
def test_endless_response(counter: Counter, pieces: Any, pause: float) -> None:  # noqa: ANN401 - an iterable of bytes
    """An endless response is aborted at the deadline, and within a memory limit."""
    tracemalloc.start()
    started = time.monotonic()
    with RawServer(pieces, pause) as server:
        with pytest.raises(IssuerUnavailable):
            KeySet(server.url).find("k", Deadline.after(0.5))
        over = time.monotonic() - started - 0.5
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    counter.measure("MiB of memory for a response of 200 MB", round(peak / 2**20, 1))
    assert peak < MAX_MEMORY
    assert over < 5


@pytest.mark.parametrize(
    "url", ["http://issuer.invalid", "http://10.255.255.1", "ftp://127.0.0.1", "", "//x", "https://["]
)
def test_invalid_issuer_url(url: str) -> None:
    """Keys are not fetched without TLS, because anyone on the network path could replace them."""
    with pytest.raises(IssuerUnavailable):
        KeySet(url).find("k", Deadline.after(0.5))


def test_connection_refused() -> None:
    """An issuer that does not listen is reported soon."""
    with pytest.raises(IssuerUnavailable):
        KeySet(unused_url()).find("k", Deadline.after(0.5))
