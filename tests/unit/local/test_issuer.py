"""The development token issuer, over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jwt
import pytest
import urllib3

from infra.local.issuer import AUDIENCE, Application, Issuer
from infra.local.wire import HttpResponse, HttpSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

POST = {"grant_type": "client_credentials", "client_id": "ci", "client_secret": "secret"}


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """An issuer with one client."""
    issuer = Issuer({"ci": Application("secret", ("team-a", "team-b"), "jobs.read jobs.write")})
    issuer.start()
    yield issuer
    issuer.close()


def fetch(url: str, form: Mapping[str, str] | None = None, method: str = "GET") -> tuple[int, Mapping[str, str], Any]:
    """Status, headers and JSON of an answer; a *form* is posted."""
    sent = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = urllib3.request("POST" if form else method, url, body=urlencode(form or {}), headers=sent)
    return answer.status, answer.headers, json.loads(answer.data or "null")


def claims_of(issuer: Issuer, token: str) -> dict[str, Any]:
    """The claims of *token*, verified with what the issuer publishes."""
    keys = jwt.PyJWKSet.from_dict(fetch(issuer.jwks_url)[2])
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(token, key, ["RS256"], audience=AUDIENCE, issuer=issuer.url)
    return claims


class TestToken:
    """The token endpoint."""

    def test_secret_buys_a_token(self, issuer: Issuer) -> None:
        """Its claims are a Cognito access token's, with audience and groups, and the scope that was asked for."""
        status, headers, answer = fetch(issuer.token_url, {**POST, "scope": "jobs.read"})

        assert status == 200
        assert headers["Cache-Control"] == "no-store"
        claims = claims_of(issuer, answer.pop("access_token"))
        assert answer == {"token_type": "Bearer", "expires_in": 3600, "scope": "jobs.read"}
        assert claims.pop("jti")
        assert claims.pop("exp") - claims.pop("iat") == 3600
        assert claims == {
            "iss": issuer.url,
            "sub": "ci",
            "client_id": "ci",
            "aud": AUDIENCE,
            "token_use": "access",
            "scope": "jobs.read",
            "groups": ["team-a", "team-b"],
        }

    def test_refusals_are_readable_from_another_origin(self, issuer: Issuer) -> None:
        """In the form of RFC 6749. A secret does not belong into a URL; a browser asks first, as Swagger UI does."""
        wrong, refused, answer = fetch(issuer.token_url, {**POST, "client_secret": "x"})
        get, get_headers, _ = fetch(issuer.token_url + "?" + urlencode(POST))
        preflight, headers, _ = fetch(issuer.token_url, method="OPTIONS")

        assert (wrong, answer["error"], refused["Cache-Control"]) == (401, "invalid_client", "no-store")
        assert refused["Access-Control-Allow-Origin"] == headers["Access-Control-Allow-Origin"] == "*"
        assert "WWW-Authenticate" not in refused
        assert (get, get_headers["Allow"], preflight) == (405, "POST, OPTIONS", 204)
        assert headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type, X-Requested-With"


class TestMetadata:
    """Discovery and keys."""

    def test_discovery_names_the_endpoints(self, issuer: Issuer) -> None:
        """A verifier needs nothing but the issuer's URL."""
        _, _, document = fetch(issuer.url + "/.well-known/openid-configuration")

        assert document["issuer"] == issuer.url
        assert document["token_endpoint"] == issuer.token_url
        assert document["jwks_uri"] == issuer.jwks_url
        assert document["scopes_supported"] == ["jobs.read", "jobs.write"]

    def test_keys_can_be_made_to_fail(self, issuer: Issuer) -> None:
        """And come back; the requests for them are counted, so that tests can see a cache work."""
        before = issuer.jwks_requests
        issuer.jwks_answer = lambda: HttpResponse(503)
        assert fetch(issuer.jwks_url)[0] == 503

        issuer.jwks_answer = None
        assert fetch(issuer.jwks_url)[0] == 200
        assert issuer.jwks_requests == before + 2

    def test_there_is_nothing_else(self, issuer: Issuer) -> None:
        """And bytes that are no request are refused in the form of the other errors."""
        assert fetch(issuer.url + "/")[0] == 404
        assert json.loads(issuer.refuse(HttpSyntaxError("No.")).body)["error"] == "invalid_request"


class TestMint:
    """Tokens made to order."""

    def test_claims_are_changed_as_told(self, issuer: Issuer) -> None:
        """None leaves a claim out, also one that is named like an argument."""
        token = issuer.mint("ci", groups=None, client_id=None, nbf=1, sub="someone")

        claims = claims_of(issuer, token)
        assert {"groups", "client_id"} & set(claims) == set()
        assert (claims["nbf"], claims["sub"]) == (1, "someone")

    def test_url_before_the_start_is_a_mistake(self) -> None:
        """There is none yet, and no token can name it."""
        with pytest.raises(RuntimeError, match="started"):
            Issuer({}).mint("ci")
