"""The token issuer's public keys: fetched when needed, kept through outages, never asked for too often."""

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

    Stays = Callable[[str, HttpResponse], bool]

DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/jwks"
FAILURE = HttpResponse(503)


@pytest.fixture(scope="module")
def keys() -> dict[str, dict[str, str]]:
    """Two published keys: `old`, and `new` that follows it."""
    signing = SigningKeys()
    signing.rotate()
    old, new = signing.jwks()["keys"]
    return {"old": {**old, "kid": "old"}, "new": {**new, "kid": "new"}}


@pytest.fixture
def site(site: ScriptedServer, keys: dict[str, dict[str, str]]) -> ScriptedServer:
    """An issuer with one key."""
    site.on(DISCOVERY, discovery(site))
    site.on(JWKS, json_reply({"keys": [keys["old"]]}))
    return site


def discovery(site: ScriptedServer, **fields: object) -> HttpResponse:
    """The discovery document of *site*, but for *fields*."""
    return json_reply({"issuer": site.url, "jwks_uri": site.url + JWKS, **fields})


def fetched(site: ScriptedServer) -> tuple[Clock, KeySet]:
    """A clock, and the keys of *site*, which were fetched just now."""
    clock = Clock()
    keys = KeySet(site.url, clock)
    keys.find("old", FAR_DEADLINE)
    return clock, keys


def is_unavailable(keys: KeySet) -> bool:
    """Whether no key can be looked up."""
    try:
        keys.find("old", FAR_DEADLINE)
    except IssuerUnavailable:
        return True
    return False


def unavailable(keys: KeySet) -> IssuerUnavailable:
    """The error of a look-up without keys."""
    with pytest.raises(IssuerUnavailable) as error:
        keys.find("old", FAR_DEADLINE)
    return error.value


@pytest.fixture
def stays_as_it_was(site: ScriptedServer, keys: dict[str, dict[str, str]]) -> Stays:
    """Whether `old` is still known, and `new` is not, after *path* has answered *reply*.

    The issuer has taken `old` back meanwhile: only who does not believe the reply still knows it.
    """

    def stays(path: str, reply: HttpResponse) -> bool:
        clock, found = fetched(site)
        site.on(JWKS, json_reply({"keys": [keys["new"]]}))
        site.on(path, reply)
        before = len(site.asked)
        clock.now += FRESH_SECONDS + 1
        return (
            bool(found.find("old", FAR_DEADLINE))
            and found.find("new", FAR_DEADLINE) is None
            and len(site.asked) > before
        )

    return stays


def padded(document: dict[str, Any], size: int) -> HttpResponse:
    """*document* as JSON of exactly *size* bytes."""
    return HttpResponse(200, [], json.dumps(document).encode().ljust(size))


class TestFind:
    """One key by its id."""

    def test_key_is_found(self, site: ScriptedServer) -> None:
        """Where the issuer's discovery document says."""
        found = KeySet(site.url).find("old", FAR_DEADLINE)

        assert found is not None
        assert (found.key_id, found.algorithm_name) == ("old", "RS256")

    @pytest.mark.parametrize("key_id", ["unknown", "", "old ", "OLD", "../old"])
    def test_id_is_compared_as_it_stands(self, site: ScriptedServer, key_id: str) -> None:
        """It is looked up, and goes into no URL; a token signed by another key is no fault of the issuer."""
        assert KeySet(site.url).find(key_id, FAR_DEADLINE) is None
        assert [asked.target for asked in site.asked] == [DISCOVERY, JWKS]

    def test_slash_at_the_end_of_the_issuer_is_forgiven(self, site: ScriptedServer) -> None:
        """Some issuers end with one, and settings are written by people."""
        site.on(DISCOVERY, discovery(site, issuer=site.url + "/"))

        assert KeySet(site.url).find("old", FAR_DEADLINE)
        assert KeySet(site.url + "/").find("old", FAR_DEADLINE)

    def test_only_usable_keys_count(self, site: ScriptedServer, keys: dict[str, dict[str, str]]) -> None:
        """Those for signatures, with an id, and of a kind that we know."""
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


class TestKept:
    """How often the issuer is asked."""

    def test_keys_are_kept(self, site: ScriptedServer) -> None:
        """Five minutes, without a question."""
        clock, keys = fetched(site)
        clock.now += FRESH_SECONDS

        assert keys.find("old", FAR_DEADLINE)
        assert len(site.at(JWKS)) == 1

    def test_keys_are_fetched_again(self, site: ScriptedServer, keys: dict[str, dict[str, str]]) -> None:
        """So that a key the issuer has withdrawn does not sign for ever."""
        clock, found = fetched(site)
        site.on(JWKS, json_reply({"keys": [keys["new"]]}))
        clock.now += FRESH_SECONDS + 1

        assert found.find("old", FAR_DEADLINE) is None
        assert len(site.at(JWKS)) == 2

    def test_new_key_is_found_after_the_cool_down(self, site: ScriptedServer, keys: dict[str, dict[str, str]]) -> None:
        """An issuer may sign with it as soon as it is published."""
        clock, found = fetched(site)
        site.on(JWKS, json_reply({"keys": [keys["old"], keys["new"]]}))

        clock.now += COOL_DOWN_SECONDS - 1
        assert found.find("new", FAR_DEADLINE) is None
        clock.now += 1
        assert found.find("new", FAR_DEADLINE)

    def test_strangers_cannot_make_us_ask(self, site: ScriptedServer) -> None:
        """Whatever ids they send: one fetch in thirty seconds, then known keys work as before."""
        clock = Clock()
        keys = KeySet(site.url, clock)
        for number in range(100):
            keys.find(f"guess-{number}", FAR_DEADLINE)
            clock.now += 0.5

        assert len(site.at(JWKS)) == 2
        assert keys.find("old", FAR_DEADLINE)

    def test_many_threads_fetch_once(self, site: ScriptedServer) -> None:
        """The first asks, the others wait for it."""
        keys = KeySet(site.url)

        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(lambda _: keys.find("old", FAR_DEADLINE), range(32)))

        assert all(found)
        assert len(site.at(JWKS)) == 1


class TestOutage:
    """While the issuer does not answer."""

    def test_old_keys_go_on(self, site: ScriptedServer) -> None:
        """For a day."""
        clock, keys = fetched(site)
        site.on(JWKS, FAILURE)
        clock.now += STALE_SECONDS

        assert keys.find("old", FAR_DEADLINE)

    def test_after_a_day_nobody_gets_in(self, site: ScriptedServer) -> None:
        """A key that was withdrawn meanwhile must not count; the caller hears that it is not their token."""
        clock, keys = fetched(site)
        site.on(JWKS, FAILURE)
        clock.now += STALE_SECONDS + 1

        with pytest.raises(IssuerUnavailable) as refusal:
            keys.find("old", FAR_DEADLINE)
        clock.now += COOL_DOWN_SECONDS - 10
        with pytest.raises(IssuerUnavailable) as later:
            keys.find("old", FAR_DEADLINE)

        # When the issuer is asked again.
        assert (refusal.value.retry_after, later.value.retry_after) == (COOL_DOWN_SECONDS + 1, 11)
        assert refusal.value.detail == (
            "The token issuer cannot be reached, so tokens cannot be verified. Try again later."
        )

    def test_deadline_that_has_passed_asks_nobody(self, site: ScriptedServer) -> None:
        """A request whose time is up does not wait for the issuer, too."""
        with pytest.raises(IssuerUnavailable):
            KeySet(site.url).find("old", Deadline(0.0))

        assert site.asked == []

    def test_issuer_that_is_down_is_left_alone(self, site: ScriptedServer) -> None:
        """One attempt in thirty seconds, also before there are any keys."""
        site.on(DISCOVERY, FAILURE)
        clock = Clock()
        keys = KeySet(site.url, clock)

        refused = [is_unavailable(keys) for _ in range(10)]
        clock.now += COOL_DOWN_SECONDS - 1
        refused.append(is_unavailable(keys))

        assert refused == [True] * 11
        assert len(site.asked) == 1

    def test_it_comes_back_by_itself(self, site: ScriptedServer) -> None:
        """At the first question after the cool-down."""
        clock = Clock()
        keys = KeySet(site.url, clock)
        site.on(DISCOVERY, FAILURE)
        assert is_unavailable(keys)

        site.on(DISCOVERY, discovery(site))
        clock.now += COOL_DOWN_SECONDS

        assert keys.find("old", FAR_DEADLINE)


class TestUnusable:
    """Answers from which no key is taken; the old keys stay."""

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"issuer": "https://evil.example.com"}, id="another issuer"),
            pytest.param({"issuer": 5}, id="odd issuer"),
            pytest.param({"jwks_uri": None}, id="no address"),
            pytest.param({"jwks_uri": "file:///etc/passwd"}, id="file"),
            pytest.param({"jwks_uri": "http://127.0.0.1:99999/"}, id="impossible port"),
        ],
    )
    def test_discovery(self, site: ScriptedServer, changes: dict[str, object], stays_as_it_was: Stays) -> None:
        """Is of the issuer itself, and leads to keys."""
        assert stays_as_it_was(DISCOVERY, discovery(site, **changes))

    @pytest.mark.parametrize("path", [DISCOVERY, JWKS])
    @pytest.mark.parametrize(
        "reply",
        [
            pytest.param(HttpResponse(200, [], b"<html>"), id="no JSON"),
            pytest.param(HttpResponse(200, [], b"[" * 100_000), id="deep"),
            pytest.param(json_reply([{}]), id="no object"),
            pytest.param(json_reply({}), id="nothing in it"),
        ],
    )
    def test_document(self, path: str, reply: HttpResponse, stays_as_it_was: Stays) -> None:
        """Is a JSON object."""
        assert stays_as_it_was(path, reply)

    @pytest.mark.parametrize(
        "given",
        [
            pytest.param(None, id="null"),
            pytest.param(["old"], id="text"),
            pytest.param([{"kid": "old"}], id="without a kind"),
            pytest.param([{"kid": "old", "kty": "oct", "use": "enc", "k": "c2VjcmV0"}], id="not for signatures"),
        ],
    )
    def test_key_set(self, given: object, stays_as_it_was: Stays) -> None:
        """Has at least one usable key."""
        assert stays_as_it_was(JWKS, json_reply({"keys": given}))

    @pytest.mark.parametrize("changes", [{"kid": ["old"]}, {"kid": 5}, {"kid": None}, {"alg": ["RS256"]}, {"use": []}])
    def test_key_with_odd_members(
        self, keys: dict[str, dict[str, str]], changes: dict[str, object], stays_as_it_was: Stays
    ) -> None:
        """Is no key."""
        assert stays_as_it_was(JWKS, json_reply({"keys": [{**keys["old"], **changes}]}))

    @pytest.mark.parametrize("path", [DISCOVERY, JWKS])
    @pytest.mark.parametrize("status", [203, 404, 500])
    def test_another_status(
        self, site: ScriptedServer, keys: dict[str, dict[str, str]], path: str, status: int, stays_as_it_was: Stays
    ) -> None:
        """The document is none, though it be in order otherwise."""
        good = {DISCOVERY: discovery(site), JWKS: json_reply({"keys": [keys["new"]]})}[path]

        assert stays_as_it_was(path, HttpResponse(status, [], good.body))

    @pytest.mark.parametrize("path", [DISCOVERY, JWKS])
    def test_redirect_is_not_followed(self, site: ScriptedServer, path: str, stays_as_it_was: Stays) -> None:
        """The keys are where the issuer says, over TLS; nobody in between sends us elsewhere."""
        site.on("/elsewhere", json_reply({}))

        assert stays_as_it_was(path, HttpResponse(302, [("Location", site.url + "/elsewhere")]))
        assert site.at("/elsewhere") == []

    def test_oversized_document(
        self, site: ScriptedServer, keys: dict[str, dict[str, str]], stays_as_it_was: Stays
    ) -> None:
        """Though it be in order otherwise: a Lambda's memory is not the issuer's to fill. The limit is inclusive."""
        assert stays_as_it_was(JWKS, padded({"keys": [keys["new"]]}, MAX_DOCUMENT + 1))

        site.on(JWKS, padded({"keys": [keys["new"]]}, MAX_DOCUMENT))
        assert KeySet(site.url).find("new", FAR_DEADLINE)


class TestTransport:
    """How the issuer is reached."""

    def test_issuer_elsewhere_needs_tls(self, site: ScriptedServer) -> None:
        """Who can change what we read on the way could sign any token; so do keys elsewhere, whoever names them."""
        elsewhere = site.url.replace("127.0.0.1", "127.1")  # this machine, too, but not by its name

        assert is_unavailable(KeySet(elsewhere))
        assert site.asked == []

        site.on(DISCOVERY, discovery(site, jwks_uri=elsewhere + JWKS))
        assert is_unavailable(KeySet(site.url))
        assert site.at(JWKS) == []

    def test_certificate_is_checked(self) -> None:
        """Whoever answers in the issuer's place is not believed, and waiting does not help."""
        with ScriptedServer(server_identity().context) as site:
            error = unavailable(KeySet(site.url))

            assert site.asked == []

        assert error.detail.startswith("The TLS certificate of the token issuer cannot be verified")
        assert (error.retry_after, error.why) == (None, "issuer: tls_verification")

    def test_trusted_issuer_is_read_over_tls(
        self, keys: dict[str, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By the authorities that the system trusts."""
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
        (DISCOVERY, HttpResponse(404), "unexpected_status"),
        (DISCOVERY, HttpResponse(200, [], b"<html>"), "invalid_json"),
        (DISCOVERY, json_reply([]), "invalid_json"),
        (DISCOVERY, json_reply({"issuer": "https://other.example"}), "issuer_mismatch"),
        (JWKS, json_reply({"keys": []}), "invalid_key_set"),
        (JWKS, padded({"keys": []}, MAX_DOCUMENT + 1), "response_too_large"),
    ],
)
def test_log_says_why_there_are_no_keys(site: ScriptedServer, path: str, reply: HttpResponse, why: str) -> None:
    """In a closed list of words, because all that the caller reads is that the issuer is unavailable."""
    site.on(path, reply)

    assert unavailable(KeySet(site.url)).why == f"issuer: {why}"


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        pytest.param([], "connection_closed", id="hangs up"),
        pytest.param([b"SSH-2.0-OpenSSH_9.6\r\n"], "connection_closed", id="is no web server"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"{"], "connection_closed", id="is cut off"),
    ],
)
def test_log_says_that_an_answer_was_broken(pieces: list[bytes], why: str) -> None:
    """A broken answer is none."""
    with RawServer(pieces) as server:
        assert unavailable(KeySet(server.url)).why == f"issuer: {why}"


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
def test_log_says_why_an_issuer_cannot_be_asked(url: str, why: str) -> None:
    """A misspelt setting has a word of its own."""
    assert unavailable(KeySet(url)).why == f"issuer: {why}"
