"""Sign-in of people: the authorization code flow with PKCE on loopback (RFC 8252, RFC 7636), or the device flow.

1. The API publishes its issuers for people at /sign-in; `--issuer` and `--client-id` replace that.
2. The issuer's discovery document has its endpoints; its `issuer` must be the requested one.
3. The browser comes back to a port on 127.0.0.1 with a code that only this process can use: `state` and the PKCE
   verifier are secrets of this process.
4. The code is exchanged for tokens, which are kept in the state directory.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from researcher.errors import ApiError, NotSignedIn, UsageError
from researcher.loopback import listen
from researcher.models import SignInDocument
from researcher.oauth import OAuthError, get_json, post_form
from researcher.token_store import Stored
from researcher.tokens import Token
from researcher.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

SIGN_IN_SECONDS = 300.0
DEFAULT_SCOPE = "openid offline_access"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class PublicClient(NamedTuple):
    """An issuer, and the client ID of this program there."""

    issuer: str
    client_id: str
    scope: str = DEFAULT_SCOPE
    redirects: tuple[str, ...] = ()
    """The redirect URIs that the issuer allows; if there are none, any port of 127.0.0.1."""
    device_flow: bool = True
    """Whether the client may use the device flow."""


class Endpoints(NamedTuple):
    """The endpoints of an issuer; empty where it has none."""

    issuer: str
    authorization: str
    token: str
    device: str


def published_clients(url: str) -> list[PublicClient]:
    """Return the issuers for people that the API publishes; none if it publishes no such document."""
    try:
        document = Transport(url, Token(None)).send("GET", "/sign-in", anonymous=True).document()
    except ApiError as error:
        if error.status in {HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED}:
            return []
        raise
    return [
        PublicClient(
            each.issuer, each.client_id, " ".join(each.scopes) or DEFAULT_SCOPE, tuple(each.redirect_uris),
            each.device_flow,
        )
        for each in SignInDocument.decode(document).data
    ]  # fmt: skip


def discover(issuer: str) -> Endpoints:
    """Return the endpoints in the issuer's discovery document."""
    document = get_json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if document.get("issuer") != issuer:
        raise NotSignedIn(f"The discovery document of {issuer} is that of another issuer.")
    names = ("authorization_endpoint", "token_endpoint", "device_authorization_endpoint")
    return Endpoints(issuer, *(str(document.get(name) or "") for name in names))


def with_browser(client: PublicClient, show: Callable[[str], None], seconds: float = SIGN_IN_SECONDS) -> Stored:
    """Sign in with a browser on this machine; *show* gets the URL to open."""
    endpoints = discover(client.issuer)
    if not endpoints.authorization:
        raise UsageError(f"{client.issuer} has no sign-in with a browser; use --device.")
    verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(32)
    with listen(client.issuer, client.redirects) as server:
        redirect = server.redirect
        query = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": redirect,
            "scope": client.scope,
            "state": state,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        separator = "&" if "?" in endpoints.authorization else "?"
        show(f"{endpoints.authorization}{separator}{urlencode(query)}")
        server.expected = (state, client.issuer)
        code = server.wait(seconds)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect,
        "client_id": client.client_id,
        "code_verifier": verifier,
    }
    return _exchange(client, endpoints, form)


def with_device(
    client: PublicClient,
    show: Callable[[str, str], None],
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Stored:
    """Sign in with a browser on any machine; *show* gets the URL to open, and the code to enter there."""
    endpoints = discover(client.issuer) if client.device_flow else None
    if endpoints is None or not endpoints.device:
        raise UsageError(f"{client.issuer} does not offer the device flow to this program: sign in without --device.")
    begun = post_form(endpoints.device, {"client_id": client.client_id, "scope": client.scope})
    show(str(begun.get("verification_uri_complete") or begun["verification_uri"]), str(begun["user_code"]))
    interval, latest = float(begun.get("interval", 5)), clock() + float(begun.get("expires_in", SIGN_IN_SECONDS))
    form = {"grant_type": DEVICE_GRANT, "device_code": str(begun["device_code"]), "client_id": client.client_id}
    while clock() < latest:
        sleep(interval)
        try:
            return _exchange(client, endpoints, form)
        except OAuthError as error:
            if error.code == "slow_down":
                interval += 5
            elif error.code != "authorization_pending":
                raise
    raise NotSignedIn("The code has expired. Run `researcher login --device` again.")


def challenge(verifier: str) -> str:
    """Return the S256 code challenge of a verifier (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _exchange(client: PublicClient, endpoints: Endpoints, form: dict[str, str]) -> Stored:
    stored = Stored(client_id=client.client_id, token_url=endpoints.token, scope=client.scope)
    return stored.with_tokens(post_form(endpoints.token, form))
