"""Tests of the checks of a bearer token before its signature is verified."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.access_token import MAX_TOKEN, bearer_token, parse, unauthenticated
from chalicelib.domain.errors import Unauthenticated

HEADER = {"alg": "RS256", "kid": "key-1"}
CLAIMS = {"sub": "alice"}


def part(value: bytes | object) -> str:
    """Encode *value* as a part of a token: bytes as they are, any other value as JSON."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def token(header: Any = None, claims: Any = None) -> str:  # noqa: ANN401 - bytes or any JSON
    """Return a token without a valid signature."""
    return f"{part(HEADER if header is None else header)}.{part(CLAIMS if claims is None else claims)}.c2lnbmVk"


def rejection(text: str) -> str:
    """Return the reason in the log for rejecting *text*; the response is always the same."""
    with pytest.raises(Unauthenticated) as error:
        parse(text)
    assert error.value.detail == unauthenticated("").detail
    assert not error.value.errors
    return error.value.__notes__[0]


class TestBearerToken:
    """Tests of bearer_token."""

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_returns_the_token(self, scheme: str) -> None:
        """The scheme is case-insensitive (RFC 9110)."""
        assert bearer_token([f"{scheme} a.b.c"]) == "a.b.c"

    @pytest.mark.parametrize(
        "headers",
        [
            pytest.param([], id="none"),
            pytest.param([""], id="empty"),
            pytest.param(["Bearer"], id="scheme alone"),
            pytest.param(["Bearer "], id="scheme and space"),
            pytest.param(["a.b.c"], id="token alone"),
            pytest.param(["Basic YTpi"], id="another scheme"),
            pytest.param(["Digest a.b.c"], id="a scheme that comes later in the alphabet"),
            pytest.param(["Bearer\ta.b.c"], id="tab"),
            pytest.param([" Bearer a.b.c"], id="leading space"),
            pytest.param(["Bearer a.b.c", "Bearer a.b.c"], id="two headers"),
        ],
    )
    def test_anything_else_is_refused(self, headers: list[str]) -> None:
        """Any other header, or more than one, raises Unauthenticated; the message shows the required form."""
        with pytest.raises(Unauthenticated, match="Send the header Authorization: Bearer <ACCESS-TOKEN>") as error:
            bearer_token(headers)

        assert error.value.challenge == 'Bearer realm="researcher"'


class TestParse:
    """Tests of parse."""

    def test_returns_header_and_claims(self) -> None:
        """The header and the claims are returned unchanged."""
        header, claims = {**HEADER, "typ": "at+jwt"}, {**CLAIMS, "exp": 1, "aud": ["a"]}

        assert (header, claims) == parse(token(header, claims))

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("", id="empty"),
            pytest.param("a.b", id="two parts"),
            pytest.param("a.b.c.d", id="four parts"),
            pytest.param("a.b.c.d.e", id="encrypted"),
            pytest.param("..", id="empty parts"),
            pytest.param(token().rpartition(".")[0] + ".", id="no signature"),
            pytest.param(" " + token(), id="leading space"),
            pytest.param(token() + "\n", id="trailing newline"),
            pytest.param(token() + "=", id="padding"),
            pytest.param(token().replace("c2ln", "c2l+"), id="base64 that is not for URLs"),
            pytest.param("ä" + token(), id="not ASCII"),
            pytest.param(f"{token()}{'a' * MAX_TOKEN}", id="too long"),
        ],
    )
    def test_other_text_is_rejected(self, text: str) -> None:
        """A token must have three parts in base64url and a limited length."""
        assert rejection(text) == "the token is not a signed JSON Web Token"

    def test_longest_token(self) -> None:
        """A token of exactly 8 KiB is accepted."""
        short = token()

        parse(short + "a" * (8192 - len(short)))

        rejection(short + "a" * (8193 - len(short)))

    @pytest.mark.parametrize(
        "raw",
        [
            pytest.param(b"", id="empty"),
            pytest.param(b"{", id="cut off"),
            pytest.param(b'{"a": 1, "a": 2}', id="duplicate key"),
            pytest.param(b'{"a": {"b": 1, "b": 2}}', id="nested duplicate key"),
            pytest.param(b'{"exp": NaN}', id="not a number"),
            pytest.param(b'{"exp": -Infinity}', id="infinity"),
            pytest.param(b'{"a": "\xff"}', id="not UTF-8"),
            pytest.param('{"a": 1}'.encode("utf-16"), id="UTF-16"),
            pytest.param(b'\xef\xbb\xbf{"a": 1}', id="byte order mark"),
            pytest.param(b'{"exp": ' + b"9" * 5000 + b"}", id="more digits than Python reads"),
            pytest.param(b"[]", id="list"),
            pytest.param(b'"a"', id="string"),
            pytest.param(b"null", id="null"),
        ],
    )
    def test_parts_are_strict_json_objects(self, raw: bytes) -> None:
        """JSON that parsers could interpret differently is rejected, in the header and in the claims."""
        rejections = {rejection(token(header=raw)), rejection(token(claims=raw))}

        assert rejections <= {
            "the token is not strict JSON, encoded in base64url",
            "the token is not a JSON object",
            "the token is not a signed JSON Web Token",
        }

    @pytest.mark.parametrize("levels", [33, 999, 2500])
    def test_depth_is_bounded(self, levels: int) -> None:
        """The limit applies to the header and the claims, on every version of Python."""
        raw = b'{"a": ' + b"[" * (levels - 1) + b"1" + b"]" * (levels - 1) + b"}"

        assert {rejection(token(header=raw)), rejection(token(claims=raw))} <= {
            "the token has more than 32 levels of nested arrays and objects",
            "the token is not strict JSON, encoded in base64url",
        }

    def test_invalid_base64_length(self) -> None:
        """A length of one more than a multiple of four is not valid base64."""
        assert rejection(f"{part(HEADER)}.abcde.c2ln") == "the token is not strict JSON, encoded in base64url"

    @given(st.text(alphabet="aA0-_.=e", max_size=30) | st.binary(max_size=20).map(lambda raw: token(claims=raw)))
    def test_any_text_is_parsed_or_rejected(self, text: str) -> None:
        """No text raises any other exception."""
        with suppress(Unauthenticated):
            parse(text)


class TestHeader:
    """Tests of the checks of the header."""

    @pytest.mark.parametrize(
        "algorithm",
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"],
    )
    def test_asymmetric_algorithm_is_accepted(self, algorithm: str) -> None:
        """RSA and elliptic curves are supported."""
        parse(token({**HEADER, "alg": algorithm}))

    @pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "HS512", "rs256", "", None, 1, ["RS256"], "A128KW"])
    def test_other_algorithms_are_rejected(self, algorithm: object) -> None:
        """`none` and shared secrets are rejected: the public key must not be usable as an HMAC secret."""
        assert rejection(token({**HEADER, "alg": algorithm})) == "the token is signed with an unsupported algorithm"

    @pytest.mark.parametrize("kind", [None, "JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "application/jwt"])
    def test_access_token_is_accepted(self, kind: str | None) -> None:
        """The types of RFC 9068 and the plain `JWT` are accepted, case-insensitively."""
        parse(token({**HEADER, "typ": kind}))

    @pytest.mark.parametrize("kind", ["logout+jwt", "id+jwt", "dpop+jwt", "JOSE", "", "jwt ", 1, ["jwt"], {}, True])
    def test_other_types_are_rejected(self, kind: object) -> None:
        """A token with the type of another protocol is rejected."""
        assert rejection(token({**HEADER, "typ": kind})) == "the token has a typ that is not an access token's"

    @pytest.mark.parametrize("name", ["b64", "crit", "cty", "jku", "jwk", "x5u", "zip"])
    def test_forbidden_header_parameters(self, name: str) -> None:
        """A token must not contain or locate its own key, even with a null value."""
        assert rejection(token({**HEADER, name: None})) == "the token uses a forbidden header parameter"

    @pytest.mark.parametrize("key", [None, "", "a b", "a\n", "\x7f", "ä", "k" * 257, 1, ["k"], "\ud800"])
    def test_invalid_kid_is_rejected(self, key: object) -> None:
        """The kid must be 1 to 256 printable ASCII characters."""
        assert rejection(token({**HEADER, "kid": key})) == "the token has no valid kid"

    @pytest.mark.parametrize("key", ["k" * 256, "~!", "https://sts.example/keys#1"])
    def test_valid_kid(self, key: str) -> None:
        """Any printable ASCII characters are accepted."""
        parse(token({**HEADER, "kid": key}))


class TestClaims:
    """Tests of the checks of the claims."""

    @pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
    @pytest.mark.parametrize("time", [0, 1, 1_795_510_800, 1_795_510_800.25, 0.5, 1e10, 2**40 - 1])
    def test_valid_time(self, name: str, time: float) -> None:
        """Times are seconds since 1970, also with a fraction, up to a limit that no date library overflows at."""
        parse(token(claims={**CLAIMS, name: time}))

    @pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
    @pytest.mark.parametrize("time", [-1, -0.5, 2**40, 2**41, 2.0**40, "1", "1.5", True, False, None, [], 1e20])
    def test_invalid_time_is_rejected(self, name: str, time: object) -> None:
        """Strings, booleans and times out of range are rejected."""
        assert rejection(token(claims={**CLAIMS, name: time})) == f"the token has an invalid {name}"

    @pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
    @pytest.mark.parametrize("text", ["1e999", "-1e999", "1e400", "NaN", "Infinity"])
    def test_time_that_is_not_finite(self, name: str, text: str) -> None:
        """Infinity is not a date, however it is written."""
        rejection(token(claims=f'{{"sub": "alice", "{name}": {text}}}'.encode()))

    @pytest.mark.parametrize(
        ("claims", "expected"),
        [
            pytest.param({"iat": 10.5, "exp": 10.5 + 30 * 86400}, None, id="30 days, with fractions"),
            pytest.param({"iat": 10, "exp": 10.5 + 30 * 86400}, "is valid for more than 30 days", id="half a second"),
            pytest.param({"iat": 10, "exp": 10 + 30 * 86400}, None, id="30 days"),
            pytest.param({"iat": 10, "exp": 11 + 30 * 86400}, "is valid for more than 30 days", id="longer"),
            pytest.param({"iat": 10, "exp": 5}, None, id="expired when issued"),
        ],
    )
    def test_lifetime_is_bounded(self, claims: dict[str, object], expected: str | None) -> None:
        """A leaked token expires soon, even if the issuer allows a longer lifetime."""
        if expected is None:
            parse(token(claims={**CLAIMS, **claims}))
        else:
            assert rejection(token(claims={**CLAIMS, **claims})) == f"the token {expected}"


ACCESS_TOKENS: dict[str, dict[str, object]] = {
    "Cognito": {"token_use": "access", "client_id": "a1b2", "scope": "researcher/team-a", "version": 2, "jti": "7"},
    "Keycloak": {"typ": "Bearer", "azp": "notebook", "sid": "1", "acr": "1", "scope": "openid", "groups": ["/team-a"]},
    "Keycloak before 25": {"typ": "Bearer", "azp": "notebook", "nonce": "n-0S6", "session_state": "1"},
    "Entra ID 1.0": {"ver": "1.0", "tid": "t", "appid": "a1b2", "appidacr": "1", "roles": ["team-a"], "uti": "u"},
    "Entra ID 2.0": {"ver": "2.0", "tid": "t", "azp": "a1b2", "azpacr": "0", "roles": ["team-a"], "rh": "0."},
    "Okta": {"ver": 1, "jti": "AT.0mP4", "cid": "0oa1", "uid": "00u1", "scp": ["openid"], "groups": ["team-a"]},
    "Auth0": {"azp": "a1b2", "gty": "client-credentials", "permissions": ["team-a"], "scope": "team-a"},
}
OTHER_TOKENS: dict[str, dict[str, object]] = {
    "Cognito's ID token": {"token_use": "id", "cognito:username": "alice"},
    "a token_use that is not a string": {"token_use": None},
    "Keycloak's ID token": {"typ": "ID", "azp": "researcher", "at_hash": "MTIz", "groups": ["/team-a"]},
    "Keycloak's ID token without hashes": {"typ": "ID", "azp": "researcher"},
    "Keycloak's refresh token": {"typ": "Refresh", "azp": "notebook"},
    "Keycloak's offline token": {"typ": "Offline", "azp": "notebook"},
    "Keycloak's logout token": {"typ": "Logout", "sid": "1"},
    "Keycloak's token bound to a key": {"typ": "DPoP", "cnf": {"jkt": "0Zc"}},
    "a typ that is not a string": {"typ": None},
    "a typ in another case": {"typ": "bearer"},
    "Entra ID's ID token, 1.0": {"ver": "1.0", "tid": "t", "roles": ["team-a"]},
    "Entra ID's ID token, 2.0": {"ver": "2.0", "tid": "t", "roles": ["team-a"], "preferred_username": "alice"},
    "Entra ID's ID token with a nonce": {"ver": "2.0", "tid": "t", "azp": "a1b2", "nonce": "n-0S6"},
    "Okta's ID token": {"ver": 1, "jti": "ID.4eAW", "amr": ["pwd"], "idp": "00o1"},
    "Auth0's ID token": {"nonce": "n-0S6", "sid": "1", "name": "Alice"},
    "an ID token beside an access token": {"at_hash": "MTIz"},
    "an ID token beside a code": {"c_hash": "MTIz"},
    "an ID token beside a state": {"s_hash": "MTIz"},
    "an access token with the hash of another": {"typ": "Bearer", "at_hash": "MTIz"},
    "a logout token": {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}, "sid": "1"},
    "a token bound to a certificate": {"cnf": {"x5t#S256": "bwcK"}},
}


class TestPurpose:
    """Tests of the purpose of tokens, with the claims in the documentation of the issuers."""

    @pytest.mark.parametrize("issuer", ACCESS_TOKENS)
    def test_access_tokens_are_accepted(self, issuer: str) -> None:
        """The access tokens of every documented issuer are accepted."""
        parse(token(claims={**CLAIMS, **ACCESS_TOKENS[issuer]}))

    @pytest.mark.parametrize("kind", OTHER_TOKENS)
    def test_other_tokens_are_rejected(self, kind: str) -> None:
        """ID, refresh and logout tokens are rejected, although they have the same keys and groups."""
        assert rejection(token(claims={**CLAIMS, **OTHER_TOKENS[kind]})).startswith("the token is ")


class TestUnauthenticated:
    """Tests of unauthenticated."""

    def test_reason_is_only_logged(self) -> None:
        """The response does not reveal which check failed."""
        assert unauthenticated("is expired").problem() == unauthenticated("has no valid kid").problem()
        assert unauthenticated("is expired").__notes__ == ["the token is expired"]
