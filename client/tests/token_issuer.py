"""A token issuer on loopback, for people and for CI services."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit


class Issuer(ThreadingHTTPServer):
    """A token issuer for people, whose browser agrees to everything."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _IssuerHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.challenges: dict[str, str] = {}
        self.forms: list[dict[str, str]] = []
        self.pending = 2
        self.error = ""
        self.published: dict[str, Any] = {"data": []}

    def browse(self, url: str) -> None:
        """Do what the browser and the user would do, in a thread."""
        query = dict(parse_qsl(urlsplit(url).query))
        self.challenges["the-code"] = query["code_challenge"]
        answer = {"error": self.error} if self.error else {"code": "the-code"}
        forged = f"{query['redirect_uri']}?{urlencode({'code': 'forged', 'state': 'wrong'})}"
        target = f"{query['redirect_uri']}?{urlencode({**answer, 'state': query['state'], 'iss': self.url})}"
        threading.Thread(target=_visit, args=([forged, target],), daemon=True).start()

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Answer at the token endpoint."""
        self.forms.append(form)
        granted = {"access_token": f"token-{len(self.forms)}", "expires_in": 3600, "refresh_token": "refresh-2"}
        if form["grant_type"] == "authorization_code":
            verifier = hashlib.sha256(form["code_verifier"].encode()).digest()
            matches = self.challenges[form["code"]] == base64.urlsafe_b64encode(verifier).decode().rstrip("=")
            return (200, granted) if matches else (400, {"error": "invalid_grant"})
        if form["grant_type"].endswith("device_code") and self.pending:
            self.pending -= 1
            return 400, {"error": "slow_down" if self.pending else "authorization_pending"}
        if form.get("refresh_token") == "revoked":
            return 400, {"error": "invalid_grant", "error_description": "The refresh token is revoked"}
        return 200, granted


class _IssuerHandler(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        """Answer the discovery document, or the OIDC token of a CI run."""
        if self.path.startswith("/ci"):
            audience = parse_qs(urlsplit(self.path).query)["audience"][0]
            self._answer(200, {"value": f"{self.headers['Authorization']} {audience}"})
            return
        url = self.server.url
        if self.path.endswith("/sign-in"):
            self._answer(200, self.server.published)
            return
        self._answer(200, {
            "issuer": url, "authorization_endpoint": f"{url}/authorize", "token_endpoint": f"{url}/token",
            "device_authorization_endpoint": f"{url}/device",
        })  # fmt: skip

    def do_POST(self) -> None:
        """Answer at the token and device endpoints."""
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if self.path == "/device":
            self._answer(200, {
                "device_code": "d", "user_code": "ABCD-EFGH", "verification_uri": f"{self.server.url}/go",
                "interval": 5, "expires_in": 60,
            })  # fmt: skip
        else:
            self._answer(*self.server.token(form))

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:  # noqa: ANN401 - as in the base class
        """Log nothing."""


def _visit(urls: list[str]) -> None:
    for url in urls:
        try:
            urllib.request.urlopen(url, timeout=30).close()  # noqa: S310 - loopback
        except urllib.error.HTTPError as error:
            error.close()
