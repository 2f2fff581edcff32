"""Bearer tokens: one valid token identifies the caller, and anything else is rejected."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms
from msgspec.structs import fields

from chalicelib.adapters.oidc import bearer_tokens
from chalicelib.adapters.oidc.bearer_tokens import BearerTokens, authenticate
from chalicelib.domain.access_token import LEEWAY
from chalicelib.domain.caller import Caller
from chalicelib.domain.errors import IssuerUnavailable, Unauthenticated
from chalicelib.domain.token_issuer import TokenIssuer
from chalicelib.settings import InvalidSettingError, Settings, settings
from infra.local.issuer import Application, Issuer
from infra.local.signing_keys import SigningKeys
from infra.localcluster.certificates import server_identity
from tests.support.builders import deployment, token_issuer
from tests.support.configuration import configuration_file
from tests.support.scripted_server import FAR_DEADLINE, ScriptedServer, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UNAUTHENTICATED = (
    "Send the header Authorization: Bearer <ACCESS-TOKEN> with a token that is valid for this API. "
    "If the token has expired, request a new one."
)
FOREIGN_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """Start the issuer with one Application of team A."""
    issuer = Issuer({"alice": Application("secret", ("team-a",), "researcher/team-b openid")})
    issuer.start()
    yield issuer
    issuer.close()


def verifier(issuer: Issuer, **changes: Any) -> BearerTokens:  # noqa: ANN401 - any field
    """Return the verifier of *issuer*'s tokens with *changes* to its configuration."""
    return BearerTokens([token_issuer(issuer.url, **changes)])


def caller(issuer: Issuer, token: str, **changes: Any) -> Caller:  # noqa: ANN401 - any field
    """Return the caller of *token*."""
    return verifier(issuer, **changes).caller([f"Bearer {token}"], FAR_DEADLINE)


def log_reason(issuer: Issuer, token: str, **changes: Any) -> str:  # noqa: ANN401 - any field
    """Return the reason in the log why *token* is rejected, with the message of every rejection."""
    with pytest.raises(Unauthenticated) as raised:
        caller(issuer, token, **changes)
    assert raised.value.detail == UNAUTHENTICATED
    assert raised.value.challenge == 'Bearer realm="researcher", error="invalid_token"'
    return "; ".join(raised.value.__notes__)


def publish(issuer: Issuer, monkeypatch: pytest.MonkeyPatch, **jwk: object) -> None:
    """Replace the issuer's JWKS with one key."""
    monkeypatch.setattr(issuer, "jwks_response", lambda: json_reply({"keys": [jwk]}))


def base64url(text: str) -> str:
    """Encode *text* as in a token."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class TestCaller:
    """The caller of a valid token."""

    def test_valid_token(self, issuer: Issuer) -> None:
        """The caller has the token's subject and groups."""
        assert caller(issuer, issuer.mint("alice")) == Caller("alice", ("team-a",))

    def test_groups_may_be_scopes(self, issuer: Issuer) -> None:
        """Cognito's access tokens have scopes in place of groups, no audience, and another claim for the user."""
        token = issuer.mint("alice", groups=None, aud=None, sub=None, username="alice@example.com")

        found = caller(
            issuer,
            token,
            groups_claims=("scope",),
            audience_claim="client_id",
            audiences=("alice",),
            subject_claim="username",
        )

        assert found == Caller("alice@example.com", ("team-b",))

    def test_dates_with_fractions(self, issuer: Issuer) -> None:
        """Dates with fractions of a second are dates (RFC 7519, 2), valid and expired ones."""
        now = time.time()

        assert caller(issuer, issuer.mint("alice", iat=now, nbf=now - 0.5, exp=now + 60.25)).subject == "alice"
        expired = issuer.mint("alice", iat=now - 99.5, exp=now - LEEWAY - 5.5)
        assert log_reason(issuer, expired) == "the token failed verification: ExpiredSignatureError"

    def test_leeway(self, issuer: Issuer) -> None:
        """Clocks may differ by half a minute."""
        now = int(time.time())

        assert caller(issuer, issuer.mint("alice", exp=now - LEEWAY + 10)).subject == "alice"
        assert caller(issuer, issuer.mint("alice", iat=now + LEEWAY - 10, nbf=now + LEEWAY - 10)).subject == "alice"

    @pytest.mark.parametrize(
        ("algorithm", "make"),
        [
            pytest.param("PS256", lambda: FOREIGN_KEY, id="PS256"),
            pytest.param("RS512", lambda: FOREIGN_KEY, id="RS512"),
            pytest.param("ES256", lambda: ec.generate_private_key(ec.SECP256R1()), id="ES256"),
            pytest.param("EdDSA", ed25519.Ed25519PrivateKey.generate, id="EdDSA"),
        ],
    )
    def test_algorithms_with_a_public_key(
        self, issuer: Issuer, monkeypatch: pytest.MonkeyPatch, algorithm: str, make: Callable[[], Any]
    ) -> None:
        """Every asymmetric algorithm of the issuer's key is accepted."""
        key = make()
        jwk = json.loads(get_default_algorithms()[algorithm].to_jwk(key.public_key()))
        publish(issuer, monkeypatch, **{**jwk, "kid": "k1", "alg": algorithm})

        token = issuer.mint("alice", headers={"kid": "k1"}, key=key, algorithm=algorithm)

        assert caller(issuer, token).subject == "alice"


class TestHeader:
    """The Authorization header."""

    @pytest.mark.parametrize(
        "headers",
        [
            pytest.param([], id="none"),
            pytest.param(["{}"], id="without a scheme"),
            pytest.param(["Bearer {}", "Bearer {}"], id="twice"),
        ],
    )
    def test_exactly_one_bearer_token(self, issuer: Issuer, headers: list[str]) -> None:
        """Otherwise the error describes the header."""
        valid = issuer.mint("alice")

        with pytest.raises(Unauthenticated) as raised:
            verifier(issuer).caller([header.format(valid) for header in headers], FAR_DEADLINE)

        assert raised.value.detail == UNAUTHENTICATED


class TestTimes:
    """When a token is valid."""

    @pytest.mark.parametrize(
        ("claim", "shift", "why"),
        [
            pytest.param("exp", -LEEWAY - 5, "ExpiredSignatureError", id="expired"),
            pytest.param("nbf", LEEWAY + 60, "ImmatureSignatureError", id="not valid yet"),
            pytest.param("iat", LEEWAY + 60, "ImmatureSignatureError", id="issued in the future"),
            pytest.param("exp", None, "MissingRequiredClaimError", id="no expiration"),
            pytest.param("iat", None, "MissingRequiredClaimError", id="no iat"),
        ],
    )
    def test_invalid_time(self, issuer: Issuer, claim: str, shift: int | None, why: str) -> None:
        """A token is rejected outside of its times plus leeway, and without them."""
        changed: dict[str, Any] = {claim: None if shift is None else int(time.time()) + shift}
        token = issuer.mint("alice", **changed)

        assert log_reason(issuer, token) == f"the token failed verification: {why}"


class TestAudience:
    """Tokens for other issuers and audiences."""

    def test_another_issuer(self, issuer: Issuer) -> None:
        """The issuer must match, even if the signature is valid; otherwise no key is looked up."""
        before = issuer.jwks_requests
        token = issuer.mint("alice", iss="https://evil.example.com")

        assert log_reason(issuer, token) == "the token is from an issuer that is not trusted"
        assert issuer.jwks_requests == before

    def test_issuer_is_compared_as_a_whole(self, issuer: Issuer) -> None:
        """Tenants of one provider differ in the path of the issuer."""
        for iss in (None, "", 5, issuer.url + "/", issuer.url + "/tenant", issuer.url.upper(), [issuer.url]):
            reason = log_reason(issuer, issuer.mint("alice", iss=iss))
            assert reason == "the token is from an issuer that is not trusted"

    @pytest.mark.parametrize(
        "audience", ["other", "Researcher", "researcher2", "", None, [], ["other"], [["researcher"]], 5]
    )
    def test_another_audience(self, issuer: Issuer, audience: object) -> None:
        """A token that was issued for another API is rejected."""
        assert log_reason(issuer, issuer.mint("alice", aud=audience)) == "the token is for another audience"

    @pytest.mark.parametrize("scope", ["researcher/team-a", "openid researcher/x", "https://other/x researcher/team-a"])
    def test_resource_server_of_a_scope(self, issuer: Issuer, scope: str) -> None:
        """Without `aud`, the scope's resource server is the audience, as in Cognito's tokens."""
        token = issuer.mint("alice", aud=None, scope=scope)

        assert caller(issuer, token, audience_claim="scope").subject == "alice"

    @pytest.mark.parametrize(
        "scope", ["", "researcher", "other/team-a", "other/researcher/team-a", "researcher/a/b", "/researcher", None, 5]
    )
    def test_another_resource_server(self, issuer: Issuer, scope: object) -> None:
        """A token of the same issuer for another resource server is rejected."""
        token = issuer.mint("alice", aud="researcher", scope=scope)

        assert log_reason(issuer, token, audience_claim="scope") == "the token is for another audience"

    @pytest.mark.parametrize("audience", ["researcher", ["other", "researcher"], "ours-2"])
    def test_one_of_several_audiences(self, issuer: Issuer, audience: object) -> None:
        """One audience of the token must be one of the settings."""
        token = issuer.mint("alice", aud=audience)

        assert caller(issuer, token, audiences=("researcher", "ours-2")).subject == "alice"

    @pytest.mark.parametrize("audience", ["", None, "researcher"])
    def test_without_audiences_none_is_accepted(self, issuer: Issuer, audience: str | None) -> None:
        """A token with an empty audience is rejected, too."""
        token = issuer.mint("alice", aud=audience)

        assert log_reason(issuer, token, audiences=()) == "the token is for another audience"


class TestForged:
    """Tokens that the issuer has not signed."""

    @pytest.mark.parametrize("name", ["none", "nOnE"])
    def test_unsigned(self, issuer: Issuer, name: str) -> None:
        """The algorithm `none` is rejected, with a signature or without."""
        header = base64url(json.dumps({"alg": name, "kid": issuer.keys.current}))
        claims = issuer.mint("alice").split(".")[1]

        assert log_reason(issuer, f"{header}.{claims}.") == "the token is not a signed JSON Web Token"
        assert log_reason(issuer, f"{header}.{claims}.AA") == "the token is signed with an unsupported algorithm"

    def test_public_key_as_a_secret(self, issuer: Issuer) -> None:
        """An HS256 signature with the public key is rejected."""
        token = issuer.mint("alice", key=issuer.keys.public_pem(), algorithm="HS256")

        assert log_reason(issuer, token) == "the token is signed with an unsupported algorithm"

    def test_secret_in_the_key_set(self, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
        """A symmetric key is not accepted, even if the issuer publishes one."""
        publish(issuer, monkeypatch, kty="oct", kid="k1", k=base64url("secret" * 8), alg="HS256")
        token = issuer.mint("alice", headers={"kid": "k1"}, key=b"secret" * 8, algorithm="HS256")

        assert log_reason(issuer, token) == "the token is signed with an unsupported algorithm"

    def test_unknown_key(self, issuer: Issuer) -> None:
        """A token with an unknown `kid` is rejected."""
        token = issuer.mint("alice", headers={"kid": "stranger"}, key=FOREIGN_KEY)

        assert log_reason(issuer, token) == "the token is signed with an unknown key"

    def test_algorithm_that_does_not_match_the_key(self, issuer: Issuer) -> None:
        """The `alg` of the token must be that of the key."""
        token = issuer.mint("alice", algorithm="RS512")

        assert log_reason(issuer, token) == "the token has an alg that does not match its key"

    def test_algorithm_of_another_issuer(self, issuer: Issuer) -> None:
        """An issuer may use the algorithms in its configuration only; otherwise no key is looked up."""
        before = issuer.jwks_requests

        reason = log_reason(issuer, issuer.mint("alice"), algorithms=("ES256", "RS512"))

        assert reason == "the token is signed with an algorithm that its issuer may not use"
        assert issuer.jwks_requests == before

    def test_invalid_signature(self, issuer: Issuer) -> None:
        """A signature with another key or for other claims is rejected."""
        header, _, signature = issuer.mint("alice").split(".")
        other = issuer.mint("bob", groups=["team-b"]).split(".")[1]

        for token in (issuer.mint("alice", key=FOREIGN_KEY), f"{header}.{other}.{signature}"):
            assert log_reason(issuer, token) == "the token failed verification: InvalidSignatureError"


class TestMalformed:
    """Tokens that the issuer has signed but that are malformed."""

    @pytest.mark.parametrize(
        ("headers", "why"),
        [
            pytest.param({"typ": "id+jwt"}, "the token has a typ that is not an access token's", id="wrong typ"),
            pytest.param({"crit": ["exp"]}, "the token uses a forbidden header parameter", id="crit"),
            pytest.param({"jwk": {"kty": "oct"}}, "the token uses a forbidden header parameter", id="jwk"),
            pytest.param({"kid": None}, "the token has no valid kid", id="no kid"),
        ],
    )
    def test_header(self, issuer: Issuer, headers: dict[str, object], why: str) -> None:
        """The header cannot contain a key or change how the token is read."""
        assert log_reason(issuer, issuer.mint("alice", headers=headers)) == why

    @pytest.mark.parametrize(
        ("claims", "why"),
        [
            pytest.param(
                '{"sub":"alice","sub":"bob"}', "the token is not strict JSON, encoded in base64url", id="duplicate name"
            ),
            pytest.param('["alice"]', "the token is not a JSON object", id="list"),
        ],
    )
    def test_claims(self, issuer: Issuer, claims: str, why: str) -> None:
        """The claims must be one JSON object without duplicate names."""
        assert log_reason(issuer, issuer.keys.sign(claims.encode())) == why

    @pytest.mark.parametrize(("claim", "value"), [("sub", "a\nb"), ("groups", ["a\r\nImpersonate-Group: b"])])
    def test_control_characters(self, issuer: Issuer, claim: str, value: object) -> None:
        """No claim can add a header to a request: the token is rejected, or the group left out."""
        changed: dict[str, Any] = {claim: value}
        token = issuer.mint("alice", **changed)

        if claim == "sub":
            assert log_reason(issuer, token).startswith("the token has a claim sub ")
        else:
            assert caller(issuer, token).groups == ()


class TestKeys:
    """Requests to the issuer."""

    def test_malformed_token_causes_no_request(self, issuer: Issuer) -> None:
        """Any client can send malformed tokens."""
        before = issuer.jwks_requests

        for token in ("a.b.c", issuer.mint("x", aud="other"), issuer.mint("x", algorithm="none")):
            log_reason(issuer, token)

        assert issuer.jwks_requests == before

    def test_issuer_is_unavailable(self) -> None:
        """The error is not about the caller's token."""
        absent = Issuer({})
        absent.start()
        url, token = absent.url, absent.mint("alice")
        absent.close()

        with pytest.raises(IssuerUnavailable):
            BearerTokens([token_issuer(url)]).caller([f"Bearer {token}"], FAR_DEADLINE)


class TestGivenKeys:
    """An issuer that the functions cannot reach."""

    def given(self, *keys: dict[str, Any]) -> TokenIssuer:
        """Return the configuration of an issuer with *keys*."""
        fields = {"issuer": "https://unreachable.example", "audiences": ["researcher"], "keySet": {"keys": keys}}
        return msgspec.convert(fields, TokenIssuer)

    def test_no_request_is_sent(self, issuer: Issuer) -> None:
        """Tokens with the given keys are accepted, and any other key is unknown."""
        before = issuer.jwks_requests
        tokens = BearerTokens([self.given(*issuer.keys.jwks()["keys"])])
        token = issuer.mint("alice", iss="https://unreachable.example")
        unknown = issuer.mint("alice", iss="https://unreachable.example", headers={"kid": "other"})
        forged = issuer.mint("alice", iss="https://unreachable.example", key=FOREIGN_KEY)

        assert tokens.caller([f"Bearer {token}"], FAR_DEADLINE).subject == "alice"
        for each in (unknown, forged):
            with pytest.raises(Unauthenticated):
                tokens.caller([f"Bearer {each}"], FAR_DEADLINE)
        assert issuer.jwks_requests == before

    @pytest.mark.parametrize(
        "key",
        [
            {"kty": "RSA", "kid": "a"},
            {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
            {"kty": "none", "kid": "a"},
            {"kid": "a"},
            {},
            {"kty": "RSA", "kid": "a", "alg": [], "n": "AQAB", "e": "AQAB"},
        ],
        ids=str,
    )
    def test_unusable_key(self, key: dict[str, Any]) -> None:
        """A key set without a usable key is an error of the configuration, which names the issuer."""
        with pytest.raises(InvalidSettingError, match=r"keySet or authorities of https://unreachable\.example"):
            BearerTokens([self.given(key)])


class TestPrivateAuthority:
    """An issuer whose certificate a private authority has signed."""

    @pytest.mark.parametrize(
        "encode", [str, lambda pem: base64.b64encode(pem.encode()).decode()], ids=["PEM", "base64"]
    )
    def test_only_its_authority_is_trusted(self, encode: Callable[[str], str]) -> None:
        """The issuer is reached with its own authority; without it, or with another one, it is not."""
        private, other = server_identity(), server_identity()
        signing = SigningKeys()
        with ScriptedServer(private.context) as site:
            site.on(
                "/.well-known/openid-configuration", json_reply({"issuer": site.url, "jwks_uri": f"{site.url}/jwks"})
            )
            site.on("/jwks", json_reply(signing.jwks()))
            now = int(time.time())
            claims = {"iss": site.url, "aud": "researcher", "sub": "alice", "iat": now, "exp": now + 60}
            header = [f"Bearer {signing.sign(json.dumps(claims).encode())}"]

            trusting, mistaken, public = (
                BearerTokens([token_issuer(site.url, authorities=authorities)])
                for authorities in ((encode(private.ca_pem),), (encode(other.ca_pem),), ())
            )

            assert trusting.caller(header, FAR_DEADLINE).subject == "alice"
            for tokens in (mistaken, public):
                with pytest.raises(IssuerUnavailable, match="certificate"):
                    tokens.caller(header, FAR_DEADLINE)

    @pytest.mark.parametrize(
        "authority", ["x", "bm8gUEVN", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
    )
    def test_invalid_authority(self, authority: str) -> None:
        """A certificate that cannot be loaded is an error of the configuration, which names the issuer."""
        with pytest.raises(InvalidSettingError, match=r"of https://private\.example cannot be used"):
            BearerTokens([token_issuer("https://private.example", authorities=(authority,))])


@pytest.fixture
def deployed(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the settings of a deployment, and clear the caches after the test."""
    trusted = configuration_file(tokenIssuers=[{"issuer": issuer.url, "audiences": ["researcher"]}])
    configured = deployment(configuration_file=trusted)
    for field in fields(Settings):
        monkeypatch.setenv(field.name.upper(), str(getattr(configured, field.name)))
    settings.cache_clear()
    yield
    settings.cache_clear()
    bearer_tokens.connect.cache_clear()


@pytest.mark.usefixtures("deployed")
class TestWithoutAuthentication:
    """With `authentication` set to `none`."""

    @pytest.mark.parametrize("headers", [[], ["Basic x"], ["Bearer x", "Bearer y"]])
    def test_every_caller_is_anonymous(self, monkeypatch: pytest.MonkeyPatch, headers: list[str]) -> None:
        """Neither the header is read nor an issuer needed."""
        monkeypatch.setenv("AUTHENTICATION", "none")
        monkeypatch.setenv("CONFIGURATION_FILE", configuration_file())

        assert authenticate(headers, FAR_DEADLINE) == Caller("anonymous", ("anonymous",))

    @pytest.mark.parametrize("setting", ["None", "off", "false", "0", "required"])
    def test_other_values_mean_required(self, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
        """A misspelt value does not disable authentication."""
        monkeypatch.setenv("AUTHENTICATION", setting)

        with pytest.raises(Unauthenticated):
            authenticate([], FAR_DEADLINE)


@pytest.mark.usefixtures("deployed")
class TestAuthenticate:
    """The verifier of this deployment."""

    def test_verifier_is_cached(self, issuer: Issuer) -> None:
        """Warm invocations reuse the keys of the issuer in the settings."""
        before = issuer.jwks_requests

        for _ in range(3):
            assert authenticate([f"Bearer {issuer.mint('alice')}"], FAR_DEADLINE) == Caller("alice", ("team-a",))

        assert issuer.jwks_requests == before + 1

    def test_without_issuers_is_an_error(self, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
        """There is no default, and no token is accepted."""
        monkeypatch.setenv("CONFIGURATION_FILE", configuration_file())

        with pytest.raises(InvalidSettingError, match="no token issuer is configured"):
            authenticate([f"Bearer {issuer.mint('alice')}"], FAR_DEADLINE)
