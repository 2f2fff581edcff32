"""Bearer tokens: one good token says who calls, and nothing else does."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms
from msgspec.structs import fields

from chalicelib.adapters.oidc import bearer_tokens
from chalicelib.adapters.oidc.bearer_tokens import BearerTokens, authenticate
from chalicelib.adapters.oidc.jwks import KeySet
from chalicelib.domain.access_token import LEEWAY
from chalicelib.domain.caller import Caller
from chalicelib.domain.errors import IssuerUnavailable, Unauthenticated
from chalicelib.settings import MissingSettingError, Settings, settings
from infra.local.issuer import Application, Issuer
from tests.support.builders import deployment
from tests.support.scripted_server import FAR_DEADLINE, json_reply, unused_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ONE_ANSWER = (
    "Send the header Authorization: Bearer <ACCESS-TOKEN> with a token that is valid for this API. "
    "If the token has expired, request a new one."
)
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """The issuer, with one application of team A."""
    issuer = Issuer({"alice": Application("secret", ("team-a",), "researcher/team-b openid")})
    issuer.start()
    yield issuer
    issuer.close()


def verifier(issuer: Issuer, **changes: Any) -> BearerTokens:  # noqa: ANN401 - whatever a setting holds
    """What checks the tokens of *issuer*; *changes* go to the settings."""
    return BearerTokens(deployment(token_issuer=issuer.url, **changes), KeySet(issuer.url))


def caller(issuer: Issuer, token: str, **changes: Any) -> Caller:  # noqa: ANN401 - whatever a setting holds
    """Who sends *token*."""
    return verifier(issuer, **changes).caller([f"Bearer {token}"], FAR_DEADLINE)


def refusal(issuer: Issuer, token: str, **changes: Any) -> str:  # noqa: ANN401 - whatever a setting holds
    """What the log says of *token*, which must be refused in the words that every refusal has."""
    with pytest.raises(Unauthenticated) as refused:
        caller(issuer, token, **changes)
    assert refused.value.detail == ONE_ANSWER
    return "; ".join(refused.value.__notes__)


def published(issuer: Issuer, monkeypatch: pytest.MonkeyPatch, **jwk: object) -> None:
    """The issuer's key set is one key now: *jwk*."""
    monkeypatch.setattr(issuer, "jwks_response", lambda: json_reply({"keys": [jwk]}))


def encoded(text: str) -> str:
    """*text* in base64url, as it stands in a token."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class TestCaller:
    """Whom a good token names."""

    def test_good_token(self, issuer: Issuer) -> None:
        """Its subject, and its groups."""
        assert caller(issuer, issuer.mint("alice")) == Caller("alice", ("team-a",))

    def test_groups_may_be_scopes(self, issuer: Issuer) -> None:
        """Cognito's access tokens have no groups of ours, no audience, and may name the user elsewhere."""
        token = issuer.mint("alice", groups=None, aud=None, sub=None, username="alice@example.com")

        found = caller(
            issuer,
            token,
            token_groups_claim="scope",
            token_audience_claim="client_id",
            token_audience="alice",
            token_subject_claim="username",
        )

        assert found == Caller("alice@example.com", ("team-b",))

    def test_clocks_may_differ_a_little(self, issuer: Issuer) -> None:
        """Half a minute."""
        now = int(time.time())

        assert caller(issuer, issuer.mint("alice", exp=now - LEEWAY + 10)).subject == "alice"
        assert caller(issuer, issuer.mint("alice", iat=now + LEEWAY - 10, nbf=now + LEEWAY - 10)).subject == "alice"

    @pytest.mark.parametrize(
        ("algorithm", "make"),
        [
            pytest.param("PS256", lambda: STRANGER, id="PS256"),
            pytest.param("RS512", lambda: STRANGER, id="RS512"),
            pytest.param("ES256", lambda: ec.generate_private_key(ec.SECP256R1()), id="ES256"),
            pytest.param("EdDSA", ed25519.Ed25519PrivateKey.generate, id="EdDSA"),
        ],
    )
    def test_algorithms_with_a_public_key(
        self, issuer: Issuer, monkeypatch: pytest.MonkeyPatch, algorithm: str, make: Callable[[], Any]
    ) -> None:
        """Whichever the issuer's key is for."""
        key = make()
        jwk = json.loads(get_default_algorithms()[algorithm].to_jwk(key.public_key()))
        published(issuer, monkeypatch, **{**jwk, "kid": "k1", "alg": algorithm})

        token = issuer.mint("alice", headers={"kid": "k1"}, key=key, algorithm=algorithm)

        assert caller(issuer, token).subject == "alice"


class TestHeader:
    """How a token is sent."""

    @pytest.mark.parametrize(
        "headers",
        [
            pytest.param([], id="none"),
            pytest.param(["{}"], id="token alone"),
            pytest.param(["Bearer {}", "Bearer {}"], id="twice"),
        ],
    )
    def test_there_is_exactly_one_bearer_token(self, issuer: Issuer, headers: list[str]) -> None:
        """Otherwise the caller reads how to send it."""
        good = issuer.mint("alice")

        with pytest.raises(Unauthenticated) as refused:
            verifier(issuer).caller([header.format(good) for header in headers], FAR_DEADLINE)

        assert refused.value.detail == ONE_ANSWER


class TestTimes:
    """When a token is good."""

    @pytest.mark.parametrize(
        ("claim", "shift", "why"),
        [
            pytest.param("exp", -LEEWAY - 5, "ExpiredSignatureError", id="expired"),
            pytest.param("nbf", LEEWAY + 60, "ImmatureSignatureError", id="not yet good"),
            pytest.param("iat", LEEWAY + 60, "ImmatureSignatureError", id="of the future"),
            pytest.param("exp", None, "MissingRequiredClaimError", id="would be good for ever"),
            pytest.param("iat", None, "MissingRequiredClaimError", id="of no time"),
        ],
    )
    def test_not_now(self, issuer: Issuer, claim: str, shift: int | None, why: str) -> None:
        """Beyond what clocks may differ, or untold."""
        changed: dict[str, Any] = {claim: None if shift is None else int(time.time()) + shift}
        token = issuer.mint("alice", **changed)

        assert refusal(issuer, token) == f"the token failed verification: {why}"


class TestForeign:
    """Tokens that are good elsewhere."""

    def test_another_issuer(self, issuer: Issuer) -> None:
        """Although it signs with our issuer's key."""
        token = issuer.mint("alice", iss="https://evil.example.com")

        assert refusal(issuer, token) == "the token failed verification: InvalidIssuerError"

    def test_issuer_is_compared_as_a_whole(self, issuer: Issuer) -> None:
        """Tenants of one provider differ in the path; without one it is nobody's token."""
        for iss in (None, "", 5, issuer.url + "/", issuer.url + "/tenant", issuer.url.upper(), [issuer.url]):
            assert refusal(issuer, issuer.mint("alice", iss=iss)).startswith("the token failed verification: ")

    @pytest.mark.parametrize(
        "audience", ["other", "Researcher", "researcher2", "", None, [], ["other"], [["researcher"]], 5]
    )
    def test_another_audience(self, issuer: Issuer, audience: object) -> None:
        """A token that another application got does not open this one."""
        assert refusal(issuer, issuer.mint("alice", aud=audience)) == "the token is for another audience"

    @pytest.mark.parametrize("scope", ["researcher/team-a", "openid researcher/x", "https://other/x researcher/team-a"])
    def test_resource_server_of_a_scope(self, issuer: Issuer, scope: str) -> None:
        """Cognito's tokens have no `aud`; it gives an Application only the scopes it was allowed."""
        token = issuer.mint("alice", aud=None, scope=scope)

        assert caller(issuer, token, token_audience_claim="scope").subject == "alice"

    @pytest.mark.parametrize(
        "scope", ["", "researcher", "other/team-a", "other/researcher/team-a", "researcher/a/b", "/researcher", None, 5]
    )
    def test_another_resource_server(self, issuer: Issuer, scope: object) -> None:
        """A token of the same issuer for another API, or for none."""
        token = issuer.mint("alice", aud="researcher", scope=scope)

        assert refusal(issuer, token, token_audience_claim="scope") == "the token is for another audience"

    @pytest.mark.parametrize("audience", ["researcher", ["other", "researcher"], "ours-2"])
    def test_one_of_our_audiences(self, issuer: Issuer, audience: object) -> None:
        """One of the token's must be one of the settings'."""
        token = issuer.mint("alice", aud=audience)

        assert caller(issuer, token, token_audience="researcher,ours-2").subject == "alice"

    @pytest.mark.parametrize("setting", ["", ","])
    def test_without_an_audience_nobody_gets_in(self, issuer: Issuer, setting: str) -> None:
        """Also who brings an empty one."""
        for audience in ("", None, "researcher"):
            token = issuer.mint("alice", aud=audience)

            assert refusal(issuer, token, token_audience=setting) == "the token is for another audience"


class TestForged:
    """Tokens that the issuer has not signed."""

    @pytest.mark.parametrize("name", ["none", "nOnE"])
    def test_unsigned(self, issuer: Issuer, name: str) -> None:
        """Whether or not something stands where the signature would."""
        header = encoded(json.dumps({"alg": name, "kid": issuer.keys.current}))
        claims = issuer.mint("alice").split(".")[1]

        assert refusal(issuer, f"{header}.{claims}.") == "the token is not a signed JSON Web Token"
        assert refusal(issuer, f"{header}.{claims}.AA") == "the token is signed with an unsupported algorithm"

    def test_public_key_as_a_secret(self, issuer: Issuer) -> None:
        """Everybody has the public key, so an HS256 signature by it proves nothing."""
        token = issuer.mint("alice", key=issuer.keys.public_pem(), algorithm="HS256")

        assert refusal(issuer, token) == "the token is signed with an unsupported algorithm"

    def test_secret_in_the_key_set(self, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
        """An issuer that publishes a secret by mistake lets nobody in by it."""
        published(issuer, monkeypatch, kty="oct", kid="k1", k=encoded("secret" * 8), alg="HS256")
        token = issuer.mint("alice", headers={"kid": "k1"}, key=b"secret" * 8, algorithm="HS256")

        assert refusal(issuer, token) == "the token is signed with an unsupported algorithm"

    def test_key_that_the_issuer_does_not_have(self, issuer: Issuer) -> None:
        """Whoever signed by it."""
        token = issuer.mint("alice", headers={"kid": "stranger"}, key=STRANGER)

        assert refusal(issuer, token) == "the token is signed with an unknown key"

    def test_another_algorithm_than_the_keys(self, issuer: Issuer) -> None:
        """Although the key could sign so, and did."""
        token = issuer.mint("alice", algorithm="RS512")

        assert refusal(issuer, token) == "the token has an alg that does not match its key"

    def test_signature_of_something_else(self, issuer: Issuer) -> None:
        """By another key under the id of the issuer's, or for other claims."""
        header, _, signature = issuer.mint("alice").split(".")
        other = issuer.mint("bob", groups=["team-b"]).split(".")[1]

        for token in (issuer.mint("alice", key=STRANGER), f"{header}.{other}.{signature}"):
            assert refusal(issuer, token) == "the token failed verification: InvalidSignatureError"


class TestOdd:
    """Tokens that the issuer has signed, and that could be read in two ways."""

    @pytest.mark.parametrize(
        ("headers", "why"),
        [
            pytest.param({"typ": "id+jwt"}, "the token has a typ that is not an access token's", id="odd typ"),
            pytest.param({"crit": ["exp"]}, "the token uses a forbidden header parameter", id="crit"),
            pytest.param({"jwk": {"kty": "oct"}}, "the token uses a forbidden header parameter", id="jwk"),
            pytest.param({"kid": None}, "the token has no valid kid", id="no kid"),
        ],
    )
    def test_header(self, issuer: Issuer, headers: dict[str, object], why: str) -> None:
        """Nothing in it brings a key of its own or changes how the token is read."""
        assert refusal(issuer, issuer.mint("alice", headers=headers)) == why

    @pytest.mark.parametrize(
        ("claims", "why"),
        [
            pytest.param(
                '{"sub":"alice","sub":"bob"}', "the token is not strict JSON, encoded in base64url", id="twice"
            ),
            pytest.param('["alice"]', "the token is not a JSON object", id="list"),
        ],
    )
    def test_claims(self, issuer: Issuer, claims: str, why: str) -> None:
        """Are one JSON object with every name once."""
        assert refusal(issuer, issuer.keys.sign(claims.encode())) == why

    @pytest.mark.parametrize(("claim", "odd"), [("sub", "a\nb"), ("groups", ["a\r\nImpersonate-Group: b"])])
    def test_names(self, issuer: Issuer, claim: str, odd: object) -> None:
        """None can become a header of its own."""
        changed: dict[str, Any] = {claim: odd}

        assert refusal(issuer, issuer.mint("alice", **changed)).startswith(f"the token has a claim {claim} ")


class TestKeys:
    """Whose signature counts."""

    def test_malformed_token_costs_the_issuer_nothing(self, issuer: Issuer) -> None:
        """Strangers can send as many as they like."""
        before = issuer.jwks_requests

        for token in ("a.b.c", issuer.mint("x", aud="other"), issuer.mint("x", algorithm="none")):
            refusal(issuer, token)

        assert issuer.jwks_requests == before

    def test_issuer_that_does_not_answer(self) -> None:
        """The caller hears that it is not their token."""
        absent = Issuer({})
        absent.start()
        token = absent.mint("alice")
        expected = deployment(token_issuer=absent.url)
        absent.close()

        with pytest.raises(IssuerUnavailable):
            BearerTokens(expected, KeySet(unused_url())).caller([f"Bearer {token}"], FAR_DEADLINE)


class TestWithoutAuthentication:
    """Where the deployment lets everybody in."""

    @pytest.mark.parametrize("headers", [[], ["Basic x"], ["Bearer x", "Bearer y"]])
    def test_everybody_is_anonymous(self, headers: list[str]) -> None:
        """Without looking at what was sent, or asking an issuer."""
        everybody = BearerTokens(deployment(authentication="none"), KeySet(unused_url()))

        assert everybody.caller(headers, FAR_DEADLINE) == Caller("anonymous", ("anonymous",))

    @pytest.mark.parametrize("setting", ["None", "off", "false", "0", "required"])
    def test_anything_else_means_required(self, issuer: Issuer, setting: str) -> None:
        """A typing error opens nothing."""
        with pytest.raises(Unauthenticated):
            verifier(issuer, authentication=setting).caller([], FAR_DEADLINE)


class TestAuthenticate:
    """This deployment's tokens."""

    @pytest.fixture(autouse=True)
    def environment(self, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """A Lambda's environment; nothing of it is left afterwards."""
        here = deployment(token_issuer=issuer.url, cluster_ca="x")
        for one in fields(Settings):
            monkeypatch.setenv(one.name.upper(), str(getattr(here, one.name)))
        settings.cache_clear()
        yield
        settings.cache_clear()
        bearer_tokens.connect.cache_clear()

    def test_process_has_one(self, issuer: Issuer) -> None:
        """The settings lead to the issuer, by its URL alone; warm calls find their keys."""
        before = issuer.jwks_requests

        for _ in range(3):
            assert authenticate([f"Bearer {issuer.mint('alice')}"], FAR_DEADLINE) == Caller("alice", ("team-a",))

        assert issuer.jwks_requests == before + 1

    def test_missing_setting_lets_nobody_in(self, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
        """There is no audience by default."""
        monkeypatch.delenv("TOKEN_AUDIENCE")

        with pytest.raises(MissingSettingError, match="TOKEN_AUDIENCE"):
            authenticate([f"Bearer {issuer.mint('alice')}"], FAR_DEADLINE)
