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
import hmac
import secrets
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from researcher.errors import ApiError, NotSignedIn, UsageError
from researcher.oauth import OAuthError, get_json, post_form
from researcher.tokens import Stored, Token
from researcher.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

SIGN_IN_SECONDS = 300.0
DEFAULT_SCOPE = "openid offline_access"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
DONE = b"<!doctype html><title>researcher</title><p>You are signed in. You can close this page.</p>"
FAILED = b"<!doctype html><title>researcher</title><p>The sign-in has failed. The terminal has the reason.</p>"


class PublicClient(NamedTuple):
    """An issuer, and the client ID of this program there."""

    issuer: str
    client_id: str
    scope: str = DEFAULT_SCOPE
    redirects: tuple[str, ...] = ()
    """The redirect URIs that the issuer allows; if there are none, any port of 127.0.0.1."""


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
    listed = next((each for each in document.values() if isinstance(each, list)), [])
    return [
        PublicClient(each["issuer"], each["clientId"], _scope(each.get("scopes")), _redirects(each))
        for each in listed
        if isinstance(each, dict) and isinstance(each.get("issuer"), str) and isinstance(each.get("clientId"), str)
    ]


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
    with _listen(client) as server:
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
    endpoints = discover(client.issuer)
    if not endpoints.device:
        raise UsageError(f"{client.issuer} has no device flow; sign in without --device.")
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


def _scope(scopes: object) -> str:
    if isinstance(scopes, list):
        return " ".join(str(each) for each in scopes)
    return scopes if isinstance(scopes, str) and scopes else DEFAULT_SCOPE


def _redirects(listed: dict[str, Any]) -> tuple[str, ...]:
    uris = listed.get("redirectUris")
    return tuple(map(str, uris)) if isinstance(uris, list) else ()


def _listen(client: PublicClient) -> _Callback:
    """Listen at one of the redirect URIs that the issuer allows; raise UsageError if that is not possible."""
    if not client.redirects:
        server = _Callback(("127.0.0.1", 0), _Handler)
        server.redirect = f"http://127.0.0.1:{server.server_port}/callback"
        return server
    for uri in client.redirects:
        parts = urlsplit(uri)
        if parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"} and parts.port:
            with suppress(OSError):
                server = _Callback(("127.0.0.1", parts.port), _Handler)
                server.redirect = uri
                return server
    allowed = ", ".join(client.redirects)
    raise UsageError(f"{client.issuer} returns the browser only to {allowed}, where nothing can listen now.")


class _Callback(HTTPServer):
    """Waits on loopback until the browser comes back to *redirect*."""

    redirect = ""
    expected = ("", "")
    answer: dict[str, str] | None = None

    def wait(self, seconds: float) -> str:
        """Return the code; raise NotSignedIn if the sign-in failed, or took too long."""
        latest = time.monotonic() + seconds
        while self.answer is None:
            self.timeout = latest - time.monotonic()
            if self.timeout <= 0:
                raise NotSignedIn("The browser has not come back in time. Run `researcher login` again.")
            self.handle_request()
        if "error" in self.answer:
            raise NotSignedIn(f"The sign-in failed: {self.answer.get('error_description') or self.answer['error']}.")
        return self.answer["code"]

    def accepts(self, answer: dict[str, str]) -> bool:
        """Return whether the answer belongs to this sign-in; any page can send requests to loopback."""
        state, issuer = self.expected
        is_ours = hmac.compare_digest(answer.get("state", ""), state) and answer.get("iss", issuer) == issuer
        return is_ours and ("code" in answer or "error" in answer)


class _Handler(BaseHTTPRequestHandler):
    server: _Callback
    timeout = 5

    def do_GET(self) -> None:
        """Take the answer of the issuer."""
        parts = urlsplit(self.path)
        answer = {name: values[0] for name, values in parse_qs(parts.query).items()}
        is_ours = parts.path == (urlsplit(self.server.redirect).path or "/") and self.server.accepts(answer)
        if is_ours:
            self.server.answer = answer
        self.send_response(HTTPStatus.OK if is_ours else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(DONE if is_ours and "code" in answer else FAILED)

    def log_message(self, *_: Any) -> None:  # noqa: ANN401 - as in the base class
        """Log nothing: the query has the code."""
