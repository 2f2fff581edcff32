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
    """Start an issuer with one client."""
    issuer = Issuer({"ci": Application("secret", ("team-a", "team-b"), "jobs.read jobs.write")})
    issuer.start()
    yield issuer
    issuer.close()


def fetch(url: str, form: Mapping[str, str] | None = None, method: str = "GET") -> tuple[int, Mapping[str, str], Any]:
    """Return status, headers and JSON of a response; a *form* is sent by POST."""
    request_headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = urllib3.request("POST" if form else method, url, body=urlencode(form or {}), headers=request_headers)
    return response.status, response.headers, json.loads(response.data or "null")


def claims_of(issuer: Issuer, token: str) -> dict[str, Any]:
    """Return the claims of *token*, verified with the published keys."""
    keys = jwt.PyJWKSet.from_dict(fetch(issuer.jwks_url)[2])
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(token, key, ["RS256"], audience=AUDIENCE, issuer=issuer.url)
    return claims


class TestToken:
    """The token endpoint."""

    def test_client_receives_a_token(self, issuer: Issuer) -> None:
        """A token has the claims of a Cognito access token, with audience and groups, and the requested scope."""
        status, headers, response = fetch(issuer.token_url, {**POST, "scope": "jobs.read"})

        assert status == 200
        assert headers["Cache-Control"] == "no-store"
        claims = claims_of(issuer, response.pop("access_token"))
        assert response == {"token_type": "Bearer", "expires_in": 3600, "scope": "jobs.read"}
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

    def test_errors_are_readable_from_another_origin(self, issuer: Issuer) -> None:
        """Errors have the format of RFC 6749 and CORS headers; credentials in the URL are rejected."""
        wrong, error_headers, response = fetch(issuer.token_url, {**POST, "client_secret": "x"})
        get, get_headers, _ = fetch(issuer.token_url + "?" + urlencode(POST))
        preflight, headers, _ = fetch(issuer.token_url, method="OPTIONS")

        assert (wrong, response["error"], error_headers["Cache-Control"]) == (401, "invalid_client", "no-store")
        assert error_headers["Access-Control-Allow-Origin"] == headers["Access-Control-Allow-Origin"] == "*"
        assert "WWW-Authenticate" not in error_headers
        assert (get, get_headers["Allow"], preflight) == (405, "POST, OPTIONS", 204)
        assert headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type, X-Requested-With"


class TestMetadata:
    """Discovery and keys."""

    def test_discovery_names_the_endpoints(self, issuer: Issuer) -> None:
        """A verifier can find all endpoints from the issuer's URL."""
        _, _, document = fetch(issuer.url + "/.well-known/openid-configuration")

        assert document["issuer"] == issuer.url
        assert document["token_endpoint"] == issuer.token_url
        assert document["jwks_uri"] == issuer.jwks_url
        assert document["scopes_supported"] == ["jobs.read", "jobs.write"]

    def test_jwks_failure_can_be_simulated(self, issuer: Issuer) -> None:
        """The JWKS endpoint can fail and recover, and counts its requests, so that tests can observe a cache."""
        before = issuer.jwks_requests
        issuer.jwks_response = lambda: HttpResponse(503)
        assert fetch(issuer.jwks_url)[0] == 503

        issuer.jwks_response = None
        assert fetch(issuer.jwks_url)[0] == 200
        assert issuer.jwks_requests == before + 2

    def test_other_paths_are_not_found(self, issuer: Issuer) -> None:
        """Other paths receive 404, and bytes that are not a request an error in the same format."""
        assert fetch(issuer.url + "/")[0] == 404
        assert json.loads(issuer.refuse(HttpSyntaxError("No.")).body)["error"] == "invalid_request"


class TestMint:
    """Tokens with changed claims."""

    def test_claims_can_be_replaced_and_removed(self, issuer: Issuer) -> None:
        """None removes a claim, also one that has the name of a parameter."""
        token = issuer.mint("ci", groups=None, client_id=None, nbf=1, sub="other")

        claims = claims_of(issuer, token)
        assert {"groups", "client_id"} & set(claims) == set()
        assert (claims["nbf"], claims["sub"]) == (1, "other")

    def test_token_before_the_start_raises(self) -> None:
        """Before the start, the issuer has no URL to put into a token."""
        with pytest.raises(RuntimeError, match="started"):
            Issuer({}).mint("ci")
