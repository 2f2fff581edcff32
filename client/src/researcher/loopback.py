"""The page on loopback at which the browser comes back after the sign-in (RFC 8252, section 7.3)."""

from __future__ import annotations

import hmac
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from researcher.errors import NotSignedIn, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

DONE = b"<!doctype html><title>researcher</title><p>You are signed in. You can close this page.</p>"
FAILED = b"<!doctype html><title>researcher</title><p>The sign-in has failed. The terminal has the reason.</p>"


def listen(issuer: str, redirects: Iterable[str]) -> Callback:
    """Listen at one of the redirect URIs that the issuer allows; raise UsageError if that is not possible."""
    redirects = tuple(redirects)
    if not redirects:
        server = Callback(("127.0.0.1", 0), _Handler)
        server.redirect = f"http://127.0.0.1:{server.server_port}/callback"
        return server
    for uri in redirects:
        parts = urlsplit(uri)
        if parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"} and parts.port:
            with suppress(OSError):
                server = Callback(("127.0.0.1", parts.port), _Handler)
                server.redirect = uri
                return server
    raise UsageError(f"{issuer} returns the browser only to {', '.join(redirects)}, where nothing can listen now.")


class Callback(HTTPServer):
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
    server: Callback
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
