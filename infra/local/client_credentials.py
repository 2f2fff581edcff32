"""The client-credentials grant of OAuth 2.0 (RFC 6749, section 4.4) as a pure function of a request."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_plus

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Application:
    """An OAuth 2.0 client: its secret, the groups in its tokens and the scopes that it may request."""

    secret: str
    groups: tuple[str, ...] = ()
    scope: str = ""


@dataclass(frozen=True)
class Grant:
    """Permission to issue a token to *client_id*."""

    client_id: str
    scope: str


class OAuthError(Exception):
    """An error response of the token endpoint, with a code of RFC 6749, section 5.2."""

    def __init__(self, code: str, description: str, *, challenge: bool = False) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.challenge = challenge

    @property
    def status(self) -> int:
        """401 if the client is unknown, otherwise 400."""
        return 401 if self.code == "invalid_client" else 400


def authorize_client(
    applications: Mapping[str, Application], authorization: str | None, content_type: str, body: bytes
) -> Grant:
    """Authenticate the client and return the grant for the request; raise OAuthError if it is rejected."""
    form = _form(content_type, body)
    if "grant_type" not in form:
        raise OAuthError("invalid_request", "grant_type is missing.")
    client_id, secret = _credentials(authorization, form)
    application = applications.get(client_id)
    expected = application.secret if application else ""
    # Compared also if the client does not exist, so that the response time does not reveal which clients exist.
    matches = hmac.compare_digest(expected.encode(), secret.encode())
    if application is None or not secret or not matches:
        raise OAuthError("invalid_client", "The client ID or the secret is wrong.", challenge=authorization is not None)
    if form["grant_type"] != "client_credentials":
        raise OAuthError("unsupported_grant_type", "grant_type must be client_credentials.")
    return Grant(client_id, _scope(form.get("scope", ""), application.scope))


def _form(content_type: str, body: bytes) -> dict[str, str]:
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise OAuthError("invalid_request", f"The body must be {FORM}.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError as error:
        raise OAuthError("invalid_request", "The body is not a valid form.") from error
    if len(dict(pairs)) != len(pairs):
        raise OAuthError("invalid_request", "A parameter was sent more than once.")
    return dict(pairs)


def _credentials(authorization: str | None, form: Mapping[str, str]) -> tuple[str, str]:
    """Return client ID and secret, from client_secret_basic or client_secret_post; both at once are an error."""
    if authorization is None:
        return form.get("client_id", ""), form.get("client_secret", "")
    if "client_secret" in form:
        raise OAuthError(
            "invalid_request",
            "The client must authenticate either by the Authorization header or in the body, not both.",
        )
    return _basic(authorization)


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeError) as error:
        raise OAuthError("invalid_client", "The Authorization header is malformed.", challenge=True) from error
    if scheme.lower() != "basic":
        raise OAuthError("invalid_client", "The Authorization header must use the Basic scheme.", challenge=True)
    # Section 2.3.1: both values are form-encoded before they are joined.
    return unquote_plus(client_id), unquote_plus(secret)


def _scope(requested: str, allowed: str) -> str:
    if not requested.strip():
        return allowed
    if set(requested.split()) <= set(allowed.split()):
        return " ".join(requested.split())
    raise OAuthError("invalid_scope", "The client is not allowed to use a requested scope.")
