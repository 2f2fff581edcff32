"""The JWKS cache: when the keys are fetched, and how long they are used."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.adapters.http import pool
from chalicelib.adapters.oidc.jwks import COOL_DOWN_SECONDS, FRESH_SECONDS, MAX_DOCUMENT, STALE_SECONDS, KeySet
from chalicelib.deadline import Deadline
from chalicelib.domain.errors import IssuerUnavailable
from infra.local.signing_keys import SigningKeys
from infra.local.wire import HttpResponse
from infra.localcluster.certificates import server_identity
from tests.support.scripted_server import FAR_DEADLINE, Clock, RawServer, ScriptedServer, json_reply, unused_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    KeepsCachedKeys = Callable[[str, HttpResponse], bool]

DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/jwks"
FAILURE = HttpResponse(503)


@pytest.fixture(scope="module")
def keys() -> dict[str, dict[str, str]]:
    """Return two published keys: `old`, and `new` that replaces it."""
    signing = SigningKeys()
    signing.rotate()
    old, new = signing.jwks()["keys"]
    return {"old": {**old, "kid": "old"}, "new": {**new, "kid": "new"}}


@pytest.fixture
def site(site: ScriptedServer, keys: dict[str, dict[str, str]]) -> ScriptedServer:
    """Return an issuer with one key."""
    site.on(DISCOVERY, discovery(site))
    site.on(JWKS, json_reply({"keys": [keys["old"]]}))
    return site


def discovery(site: ScriptedServer, **fields: object) -> HttpResponse:
    """Return the discovery document of *site*, changed by *fields*."""
    return json_reply({"issuer": site.url, "jwks_uri": site.url + JWKS, **fields})


def fetched_keys(site: ScriptedServer) -> tuple[Clock, KeySet]:
    """Return the keys of *site*, fetched just now, with their clock."""
    clock = Clock()
    keys = KeySet(site.url, clock)
    keys.find("old", FAR_DEADLINE)
    return clock, keys


def is_unavailable(keys: KeySet) -> bool:
    """Return whether no key can be looked up."""
    try:
        keys.find("old", FAR_DEADLINE)
    except IssuerUnavailable:
        return True
    return False


def lookup_error(keys: KeySet) -> IssuerUnavailable:
    """Return the error of a lookup without keys."""
    with pytest.raises(IssuerUnavailable) as error:
        keys.find("old", FAR_DEADLINE)
    return error.value


@pytest.fixture
def keeps_cached_keys(site: ScriptedServer, keys: dict[str, dict[str, str]]) -> KeepsCachedKeys:
    """Return a function that returns whether the cached keys stay after *path* has this *reply*.

    The issuer has withdrawn `old` in the meantime, so it is only found if the reply is not used.
    """

    def keeps(path: str, reply: HttpResponse) -> bool:
        clock, found = fetched_keys(site)
        site.on(JWKS, json_reply({"keys": [keys["new"]]}))
        site.on(path, reply)
        before = len(site.requests)
        clock.now += FRESH_SECONDS + 1
        return (
            bool(found.find("old", FAR_DEADLINE))
            and found.find("new", FAR_DEADLINE) is None
            and len(site.requests) > before
        )

    return keeps


def padded(document: dict[str, Any], size: int) -> HttpResponse:
    """Return *document* as JSON of exactly *size* bytes."""
    return HttpResponse(200, [], json.dumps(document).encode().ljust(size))


class TestFind:
    """Looking up a key."""

    def test_key_is_found(self, site: ScriptedServer) -> None:
        """The key is in the JWKS that the discovery document names."""
        found = KeySet(site.url).find("old", FAR_DEADLINE)

        assert found is not None
        assert (found.key_id, found.algorithm_name) == ("old", "RS256")

    @pytest.mark.parametrize("key_id", ["unknown", "", "old ", "OLD", "../old"])
    def test_unknown_id_is_none(self, site: ScriptedServer, key_id: str) -> None:
        """The id is compared exactly, and is never part of a URL."""
        assert KeySet(site.url).find(key_id, FAR_DEADLINE) is None
        assert [request.target for request in site.requests] == [DISCOVERY, JWKS]

    def test_trailing_slash_of_the_issuer_is_ignored(self, site: ScriptedServer) -> None:
        """Some issuers have a trailing slash in their documents, and some settings do."""
        site.on(DISCOVERY, discovery(site, issuer=site.url + "/"))

        assert KeySet(site.url).find("old", FAR_DEADLINE)
        assert KeySet(site.url + "/").find("old", FAR_DEADLINE)

    def test_unusable_keys_are_ignored(self, site: ScriptedServer, keys: dict[str, dict[str, str]]) -> None:
        """Keys without an id, for encryption, or of an unknown type are not used."""
        nameless = {name: value for name, value in keys["old"].items() if name != "kid"}
        others = [
            nameless,
            {**keys["old"], "kid": "encrypts", "use": "enc"},
            {**keys["old"], "kid": "strange", "kty": "XYZ", "alg": "XYZ1"},
            {**keys["old"], "kid": "broken", "n": "%"},
        ]
        site.on(JWKS, json_reply({"keys": [*others, keys["new"]]}))
        found = KeySet(site.url)

        assert found.find("new", FAR_DEADLINE)
        assert [found.find(name, FAR_DEADLINE) for name in ("", "encrypts", "strange", "broken")] == [None] * 4


class TestCache:
    """How often the keys are fetched."""

    def test_keys_are_cached(self, site: ScriptedServer) -> None:
        """No request is sent for five minutes."""
        clock, keys = fetched_keys(site)
        clock.now += FRESH_SECONDS

        assert keys.find("old", FAR_DEADLINE)
        assert len(site.at(JWKS)) == 1

    def test_keys_are_fetched_again(self, site: ScriptedServer, keys: dict[str, dict[str, str]]) -> None:
        """A key that the issuer has withdrawn is not valid any more."""
        clock, found = fetched_keys(site)
        site.on(JWKS, json_reply({"keys": [keys["new"]]}))
        clock.now += FRESH_SECONDS + 1

        assert found.find("old", FAR_DEADLINE) is None
        assert len(site.at(JWKS)) == 2

    def test_new_key_is_found_after_the_cool_down(self, site: ScriptedServer, keys: dict[str, dict[str, str]]) -> None:
        """An issuer may sign with a new key as soon as it is published."""
        clock, found = fetched_keys(site)
        site.on(JWKS, json_reply({"keys": [keys["old"], keys["new"]]}))

        clock.now += COOL_DOWN_SECONDS - 1
        assert found.find("new", FAR_DEADLINE) is None
        clock.now += 1
        assert found.find("new", FAR_DEADLINE)

    def test_unknown_ids_cause_one_fetch_per_cool_down(self, site: ScriptedServer) -> None:
        """Whatever ids clients send, there is one fetch in 30 seconds, and known keys stay in use."""
        clock = Clock()
        keys = KeySet(site.url, clock)
        for number in range(100):
            keys.find(f"guess-{number}", FAR_DEADLINE)
            clock.now += 0.5

        assert len(site.at(JWKS)) == 2
        assert keys.find("old", FAR_DEADLINE)

    def test_many_threads_fetch_once(self, site: ScriptedServer) -> None:
        """Concurrent lookups share one fetch."""
        keys = KeySet(site.url)

        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(lambda _: keys.find("old", FAR_DEADLINE), range(32)))

        assert all(found)
        assert len(site.at(JWKS)) == 1


class TestOutage:
    """While the issuer is unavailable."""

    def test_cached_keys_are_used(self, site: ScriptedServer) -> None:
        """The cached keys are used for a day."""
        clock, keys = fetched_keys(site)
        site.on(JWKS, FAILURE)
        clock.now += STALE_SECONDS

        assert keys.find("old", FAR_DEADLINE)

    def test_after_a_day_the_keys_expire(self, site: ScriptedServer) -> None:
        """The error has a Retry-After, and is not about the caller's token."""
        clock, keys = fetched_keys(site)
        site.on(JWKS, FAILURE)
        clock.now += STALE_SECONDS + 1

        with pytest.raises(IssuerUnavailable) as raised:
            keys.find("old", FAR_DEADLINE)
        clock.now += COOL_DOWN_SECONDS - 10
        with pytest.raises(IssuerUnavailable) as later:
            keys.find("old", FAR_DEADLINE)

        # The time until the next fetch.
        assert (raised.value.retry_after, later.value.retry_after) == (COOL_DOWN_SECONDS + 1, 11)
        assert raised.value.detail == (
            "The token issuer cannot be reached, so tokens cannot be verified. Try again later."
        )

    def test_after_the_deadline_nothing_is_sent(self, site: ScriptedServer) -> None:
        """A request after its deadline does not wait for the issuer."""
        with pytest.raises(IssuerUnavailable):
            KeySet(site.url).find("old", Deadline(0.0))

        assert site.requests == []

    def test_failed_fetch_starts_the_cool_down(self, site: ScriptedServer) -> None:
        """There is one attempt in 30 seconds, also before there are any keys."""
        site.on(DISCOVERY, FAILURE)
        clock = Clock()
        keys = KeySet(site.url, clock)

        results = [is_unavailable(keys) for _ in range(10)]
        clock.now += COOL_DOWN_SECONDS - 1
        results.append(is_unavailable(keys))

        assert results == [True] * 11
        assert len(site.requests) == 1

    def test_recovery(self, site: ScriptedServer) -> None:
        """The first lookup after the cool-down fetches the keys."""
        clock = Clock()
        keys = KeySet(site.url, clock)
        site.on(DISCOVERY, FAILURE)
        assert is_unavailable(keys)

        site.on(DISCOVERY, discovery(site))
        clock.now += COOL_DOWN_SECONDS

        assert keys.find("old", FAR_DEADLINE)


class TestUnusable:
    """Responses that are not used; the cached keys stay."""

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"issuer": "https://evil.example.com"}, id="another issuer"),
            pytest.param({"issuer": 5}, id="invalid issuer"),
            pytest.param({"jwks_uri": None}, id="no URL"),
            pytest.param({"jwks_uri": "file:///etc/passwd"}, id="file"),
            pytest.param({"jwks_uri": "http://127.0.0.1:99999/"}, id="invalid port"),
        ],
    )
    def test_discovery(
        self, site: ScriptedServer, changes: dict[str, object], keeps_cached_keys: KeepsCachedKeys
    ) -> None:
        """The discovery document must name the issuer and a usable URL."""
        assert keeps_cached_keys(DISCOVERY, discovery(site, **changes))

    @pytest.mark.parametrize("path", [DISCOVERY, JWKS])
    @pytest.mark.parametrize(
        "reply",
        [
            pytest.param(HttpResponse(200, [], b"<html>"), id="not JSON"),
            pytest.param(HttpResponse(200, [], b"[" * 100_000), id="deep"),
            pytest.param(json_reply([{}]), id="not an object"),
            pytest.param(json_reply({}), id="empty object"),
        ],
    )
    def test_document(self, path: str, reply: HttpResponse, keeps_cached_keys: KeepsCachedKeys) -> None:
        """Both documents must be JSON objects."""
        assert keeps_cached_keys(path, reply)

    @pytest.mark.parametrize(
        "keys_value",
        [
            pytest.param(None, id="null"),
            pytest.param(["old"], id="string"),
            pytest.param([{"kid": "old"}], id="without kty"),
            pytest.param([{"kid": "old", "kty": "oct", "use": "enc", "k": "c2VjcmV0"}], id="not for signatures"),
        ],
    )
    def test_key_set(self, keys_value: object, keeps_cached_keys: KeepsCachedKeys) -> None:
        """The JWKS must have a usable key."""
        assert keeps_cached_keys(JWKS, json_reply({"keys": keys_value}))

    @pytest.mark.parametrize("changes", [{"kid": ["old"]}, {"kid": 5}, {"kid": None}, {"alg": ["RS256"]}, {"use": []}])
    def test_key_with_invalid_members(
        self, keys: dict[str, dict[str, str]], changes: dict[str, object], keeps_cached_keys: KeepsCachedKeys
    ) -> None:
        """A key with members of the wrong type is not used."""
        assert keeps_cached_keys(JWKS, json_reply({"keys": [{**keys["old"], **changes}]}))

    @pytest.mark.parametrize("path", [DISCOVERY, JWKS])
    @pytest.mark.parametrize("status", [203, 404, 500])
    def test_another_status(
        self,
        site: ScriptedServer,
        keys: dict[str, dict[str, str]],
        path: str,
        status: int,
        keeps_cached_keys: KeepsCachedKeys,
    ) -> None:
        """A response with another status is not used, even if its body is valid."""
        good = {DISCOVERY: discovery(site), JWKS: json_reply({"keys": [keys["new"]]})}[path]

        assert keeps_cached_keys(path, HttpResponse(status, [], good.body))

    @pytest.mark.parametrize("path", [DISCOVERY, JWKS])
    def test_redirect_is_not_followed(
        self, site: ScriptedServer, path: str, keeps_cached_keys: KeepsCachedKeys
    ) -> None:
        """The keys are read only from the URL that the issuer names."""
        site.on("/elsewhere", json_reply({}))

        assert keeps_cached_keys(path, HttpResponse(302, [("Location", site.url + "/elsewhere")]))
        assert site.at("/elsewhere") == []

    def test_oversized_document(
        self, site: ScriptedServer, keys: dict[str, dict[str, str]], keeps_cached_keys: KeepsCachedKeys
    ) -> None:
        """A document above the limit is not read, even if it is valid. The limit is inclusive."""
        assert keeps_cached_keys(JWKS, padded({"keys": [keys["new"]]}, MAX_DOCUMENT + 1))

        site.on(JWKS, padded({"keys": [keys["new"]]}, MAX_DOCUMENT))
        assert KeySet(site.url).find("new", FAR_DEADLINE)


class TestTransport:
    """The connection to the issuer."""

    def test_remote_issuer_requires_tls(self, site: ScriptedServer) -> None:
        """Neither the discovery document nor the JWKS is fetched without TLS, except from loopback."""
        elsewhere = site.url.replace("127.0.0.1", "127.1")  # this machine, too, but not by its name

        assert is_unavailable(KeySet(elsewhere))
        assert site.requests == []

        site.on(DISCOVERY, discovery(site, jwks_uri=elsewhere + JWKS))
        assert is_unavailable(KeySet(site.url))
        assert site.at(JWKS) == []

    def test_certificate_is_verified(self) -> None:
        """A certificate error has no Retry-After."""
        with ScriptedServer(server_identity().context) as site:
            error = lookup_error(KeySet(site.url))

            assert site.requests == []

        assert error.detail.startswith("The TLS certificate of the token issuer cannot be verified")
        assert (error.retry_after, error.why) == (None, f"issuer: tls_verification_unknown_authority ({site.url})")

    def test_trusted_issuer_is_read_over_tls(
        self, keys: dict[str, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The system's certificate authorities are trusted."""
        identity = server_identity()
        authority = tmp_path / "authority.pem"
        authority.write_text(identity.ca_pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        pool.pool.cache_clear()
        with ScriptedServer(identity.context) as site:
            site.on(DISCOVERY, discovery(site))
            site.on(JWKS, json_reply({"keys": [keys["old"]]}))

            assert KeySet(site.url).find("old", FAR_DEADLINE)
        pool.pool.cache_clear()


@pytest.mark.parametrize(
    ("path", "reply", "why"),
    [
        (DISCOVERY, HttpResponse(404), "status_404"),
        (DISCOVERY, HttpResponse(200, [], b"<html>"), "invalid_json"),
        (DISCOVERY, json_reply([]), "invalid_json"),
        (DISCOVERY, json_reply({"issuer": "https://other.example"}), "issuer_mismatch"),
        (JWKS, json_reply({"keys": []}), "invalid_key_set"),
        (JWKS, padded({"keys": []}, MAX_DOCUMENT + 1), "response_too_large"),
    ],
)
def test_log_has_the_reason(site: ScriptedServer, path: str, reply: HttpResponse, why: str) -> None:
    """The log has one of a fixed list of reasons; the response only says that the issuer is unavailable."""
    site.on(path, reply)

    assert lookup_error(KeySet(site.url)).why == f"issuer: {why} ({site.url})"


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        pytest.param([], "connection_closed", id="connection closed"),
        pytest.param([b"SSH-2.0-OpenSSH_9.6\r\n"], "connection_closed", id="not HTTP"),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"{"], "connection_closed", id="incomplete body"
        ),
    ],
)
def test_log_has_the_reason_of_a_broken_connection(pieces: list[bytes], why: str) -> None:
    """A broken response is not used."""
    with RawServer(pieces) as server:
        assert lookup_error(KeySet(server.url)).why == f"issuer: {why} ({server.url})"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (unused_url(), "connect_failed"),
        ("http://issuer.example", "insecure_url"),
        ("https://[", "invalid_url"),
        ("https://issuer.invalid", "name_resolution"),
    ],
    ids=lambda value: value if "_" in value else "",
)
def test_log_has_the_reason_of_an_invalid_url(url: str, why: str) -> None:
    """An invalid setting has its own reason."""
    assert lookup_error(KeySet(url)).why == f"issuer: {why} ({url})"
