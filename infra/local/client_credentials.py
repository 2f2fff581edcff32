"""The client-credentials grant of OAuth 2.0 (RFC 6749, section 4.4), decided: request in, grant or error out."""

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
    """An OAuth2 client: its secret, the groups its tokens name, the scopes it may ask for."""

    secret: str
    groups: tuple[str, ...] = ()
    scope: str = ""


@dataclass(frozen=True)
class Grant:
    """Permission to mint a token for *client_id*."""

    client_id: str
    scope: str


class OAuthError(Exception):
    """A refusal with a code of RFC 6749, section 5.2."""

    def __init__(self, code: str, description: str, *, challenge: bool = False) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.challenge = challenge

    @property
    def status(self) -> int:
        """401 when the client is not known, else 400."""
        return 401 if self.code == "invalid_client" else 400


def granted(
    applications: Mapping[str, Application], authorization: str | None, content_type: str, body: bytes
) -> Grant:
    """What the request may have; OAuthError when that is nothing."""
    form = _form(content_type, body)
    if "grant_type" not in form:
        raise OAuthError("invalid_request", "grant_type is missing.")
    client_id, secret = _credentials(authorization, form)
    application = applications.get(client_id)
    expected = application.secret if application else ""
    # Compared even when there is no such client, so that the time does not tell.
    matches = hmac.compare_digest(expected.encode(), secret.encode())
    if application is None or not secret or not matches:
        raise OAuthError("invalid_client", "Client id or secret is wrong.", challenge=authorization is not None)
    if form["grant_type"] != "client_credentials":
        raise OAuthError("unsupported_grant_type", "grant_type must be client_credentials.")
    return Grant(client_id, _scope(form.get("scope", ""), application.scope))


def _form(content_type: str, body: bytes) -> dict[str, str]:
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise OAuthError("invalid_request", f"The body must be {FORM}.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError as error:
        raise OAuthError("invalid_request", "The body cannot be read.") from error
    if len(dict(pairs)) != len(pairs):
        raise OAuthError("invalid_request", "A parameter is given more than once.")
    return dict(pairs)


def _credentials(authorization: str | None, form: Mapping[str, str]) -> tuple[str, str]:
    """Client id and secret: client_secret_basic or client_secret_post, never both."""
    if authorization is None:
        return form.get("client_id", ""), form.get("client_secret", "")
    if "client_secret" in form:
        raise OAuthError("invalid_request", "The client authenticates in two ways; use one.")
    return _basic(authorization)


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeError) as error:
        raise OAuthError("invalid_client", "The Authorization header cannot be read.", challenge=True) from error
    if scheme.lower() != "basic":
        raise OAuthError("invalid_client", "The Authorization header is not of type Basic.", challenge=True)
    # Section 2.3.1: both are form-encoded before they are joined.
    return unquote_plus(client_id), unquote_plus(secret)


def _scope(asked: str, allowed: str) -> str:
    if not asked.strip():
        return allowed
    if set(asked.split()) <= set(allowed.split()):
        return " ".join(asked.split())
    raise OAuthError("invalid_scope", "The client may not have a scope it asks for.")
