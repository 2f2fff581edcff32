"""A token issuer for development and tests, on loopback: discovery, JWKS and client credentials.

Its tokens have the claims of a Cognito access token, and also `aud` and `groups`, so that one verifier reads both.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

from infra.local.client_credentials import Application, OAuthError, authorize_client
from infra.local.http_server import LoopbackHandler
from infra.local.signing_keys import SigningKeys
from infra.local.wire import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.local.wire import Headers, HttpSyntaxError

__all__ = ["Application", "Issuer"]

AUDIENCE = "researcher"
LIFETIME = 3600
DISCOVERY_PATH = "/.well-known/openid-configuration"
JWKS_PATH = "/.well-known/jwks.json"
TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path
# The documentation page requests tokens from another origin; Swagger UI adds the header X-Requested-With.
CORS: Headers = [("Access-Control-Allow-Origin", "*")]
PREFLIGHT: Headers = [
    *CORS,
    ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Requested-With"),
    ("Access-Control-Max-Age", "600"),
]
NOT_STORED: Headers = [("Cache-Control", "no-store"), ("Pragma", "no-cache")]


class Issuer(LoopbackHandler):
    """Issues tokens to *applications*, which map client IDs to OAuth 2.0 clients."""

    def __init__(
        self, applications: Mapping[str, Application], audience: str = AUDIENCE, lifetime: int = LIFETIME
    ) -> None:
        self.keys = SigningKeys()
        self.jwks_requests = 0
        self.jwks_response: Callable[[], HttpResponse] | None = None
        """Replaces the JWKS response if set; tests use it to simulate a failing issuer."""
        self._applications = applications
        self._audience = audience
        self._lifetime = lifetime
        self._lock = threading.Lock()

    @property
    def token_url(self) -> str:
        """The URL of the token endpoint."""
        return self.url + TOKEN_PATH

    @property
    def jwks_url(self) -> str:
        """The URL of the public keys."""
        return self.url + JWKS_PATH

    def rotate(self, *, retire: bool = False) -> str:
        """Create a new signing key and return its ID; *retire* removes the other keys from the JWKS."""
        return self.keys.rotate(retire=retire)

    def mint(
        self,
        client_id: str,
        /,
        *,
        headers: Mapping[str, object] | None = None,
        key: Any = None,  # noqa: ANN401 - bytes, or a private key of any kind
        algorithm: str = "RS256",
        **claims: object,
    ) -> str:
        """Return an access token for *client_id*, with *claims* and *headers* replaced; None removes one."""
        merged = {**self._claims(client_id), **claims}
        payload = json.dumps({name: value for name, value in merged.items() if value is not None})
        return self.keys.sign(payload.encode(), headers, key, algorithm)

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Respond to one request."""
        path = target.partition("?")[0]
        allowed = {DISCOVERY_PATH: "GET", JWKS_PATH: "GET", TOKEN_PATH: "POST"}.get(path)
        if allowed is None:
            return HttpResponse(404, CORS)
        if method == "OPTIONS":
            return HttpResponse(204, PREFLIGHT)
        if method != allowed:
            return HttpResponse(405, [*CORS, ("Allow", f"{allowed}, OPTIONS")])
        if path == TOKEN_PATH:
            return self._token(headers, body)
        return self._jwks() if path == JWKS_PATH else _json(200, self._discovery())

    def refuse(self, error: HttpSyntaxError) -> HttpResponse:
        """Respond to bytes that are not a valid HTTP request."""
        status = 413 if error.too_large else 400
        return _json(status, {"error": "invalid_request", "error_description": error.detail})

    def _token(self, headers: Headers, body: bytes) -> HttpResponse:
        sent = {name.lower(): value for name, value in headers}
        try:
            grant = authorize_client(self._applications, sent.get("authorization"), sent.get("content-type", ""), body)
        except OAuthError as error:
            document = {"error": error.code, "error_description": error.description}
            challenge = [("WWW-Authenticate", 'Basic realm="token"')] if error.challenge else []
            return _json(error.status, document, [*NOT_STORED, *challenge])
        token = {
            "access_token": self.mint(grant.client_id, scope=grant.scope),
            "token_type": "Bearer",
            "expires_in": self._lifetime,
            "scope": grant.scope,
        }
        return _json(200, token, NOT_STORED)

    def _jwks(self) -> HttpResponse:
        with self._lock:
            self.jwks_requests += 1
        if self.jwks_response is not None:
            return self.jwks_response()
        return _json(200, self.keys.jwks(), [("Cache-Control", "public, max-age=300")])

    def _discovery(self) -> dict[str, object]:
        return {
            "issuer": self.url,
            "jwks_uri": self.jwks_url,
            "token_endpoint": self.token_url,
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "scopes_supported": sorted({s for a in self._applications.values() for s in a.scope.split()}),
        }

    def _claims(self, client_id: str) -> dict[str, object]:
        now = int(time.time())
        application = self._applications.get(client_id, Application(secret=""))
        return {
            "iss": self.url,
            "sub": client_id,
            "client_id": client_id,
            "aud": self._audience,
            "token_use": "access",
            "scope": application.scope,
            "groups": list(application.groups),
            "iat": now,
            "exp": now + self._lifetime,
            "jti": str(uuid.uuid4()),
        }


def _json(status: int, document: object, headers: Headers | None = None) -> HttpResponse:
    all_headers: Headers = [("Content-Type", "application/json"), *CORS, *(headers or [])]
    return HttpResponse(status, all_headers, json.dumps(document).encode())
