"""HTTP/1.1 connections to one server: a certificate authority of the user's own, and the proxy of the environment.

The standard library's http.client is used because importing it costs a fifth of what other libraries cost (decision
50). HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY have their usual meaning. Redirects are not followed, because
the request holds a token.
"""

from __future__ import annotations

import base64
import http.client
import os
import ssl
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from researcher.errors import Unavailable, UsageError

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
CA_VARIABLES = ("RESEARCHER_CA_FILE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
MAX_RESPONSE = 64 * 1024 * 1024
BROKEN = (OSError, http.client.HTTPException)
"""What http.client raises when a connection cannot be opened or breaks."""


class Response(NamedTuple):
    """A response: the status, the headers by lower-case name, and the body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Proxy(NamedTuple):
    """An HTTP proxy, and the header that identifies the user to it."""

    host: str
    port: int
    headers: dict[str, str]


class Connection:
    """A connection to the server of *url*, which is opened when it is needed and kept."""

    def __init__(self, url: str, *, ca_file: str | None = None, timeout: float = 60.0) -> None:
        self._open: http.client.HTTPConnection | None = None
        parts = urlsplit(url)
        self._check_scheme(parts.scheme, parts.hostname or "")
        self.secure = parts.scheme == "https"
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if self.secure else 80)
        self.timeout = timeout
        self._netloc = parts.netloc.rpartition("@")[2]
        self._ca_file = ca_file
        self._proxy = find_proxy(parts.scheme, self._netloc)

    @staticmethod
    def _check_scheme(scheme: str, host: str) -> None:
        if scheme not in {"http", "https"} or not host:
            raise UsageError("The URL must begin with https:// and name a host.")
        if scheme == "http" and host not in LOOPBACK:
            raise UsageError(f"The URL of {host} must begin with https://, because requests contain a token.")

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes | None, timeout: float) -> Response:
        """Send one request and read its response; raise one of BROKEN if the connection breaks."""
        connection = self._open or self._connect()
        self._open = None
        connection.timeout = timeout
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        absolute = f"http://{self._netloc}{target}" if self._proxy and not self.secure else target
        sent = headers | (self._proxy.headers if self._proxy and not self.secure else {})
        try:
            connection.request(method, absolute, body=body, headers=sent)
            response = connection.getresponse()
            content = response.read(MAX_RESPONSE + 1)
            # A read of at most so many bytes does not raise if the connection breaks before Content-Length.
            if response.length and len(content) <= MAX_RESPONSE:
                raise http.client.IncompleteRead(content, response.length)  # noqa: TRY301 - as http.client's own
        except BaseException:
            connection.close()
            raise
        if len(content) > MAX_RESPONSE:
            connection.close()
            raise Unavailable("The response is larger than 64 MiB.")
        self._open = connection
        return Response(response.status, {name.lower(): value for name, value in response.getheaders()}, content)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def __del__(self) -> None:
        """Close the connection of a client, or of a thread, that has ended."""
        self.close()

    def _connect(self) -> http.client.HTTPConnection:
        host, port = (self._proxy.host, self._proxy.port) if self._proxy else (self.host, self.port)
        if not self.secure:
            return http.client.HTTPConnection(host, port, timeout=self.timeout)
        context = tls_context(self._ca_file)
        connection = http.client.HTTPSConnection(host, port, timeout=self.timeout, context=context)
        if self._proxy:
            connection.set_tunnel(self.host, self.port, headers=self._proxy.headers)
        return connection


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Return a context that trusts the system's authorities, and those in *ca_file* or a variable's file."""
    context = ssl.create_default_context()
    path = ca_file or next((os.environ[name] for name in CA_VARIABLES if os.environ.get(name)), None)
    if path:
        try:
            context.load_verify_locations(path)
        except OSError as error:
            raise UsageError(f"The file of certificate authorities {path} cannot be read: {error.strerror}.") from error
    return context


def find_proxy(scheme: str, netloc: str) -> Proxy | None:
    """Return the proxy that the environment, or the system's settings, name for a host."""
    # Imported here because it takes time, and hosts on loopback never need a proxy.
    if urlsplit(f"//{netloc}").hostname in LOOPBACK:
        return None
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415

    proxies = getproxies()
    url = proxies.get(scheme) or proxies.get("all")
    if not url or proxy_bypass(netloc):
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme != "http" or not parts.hostname:
        raise UsageError(f"The proxy of the environment begins with {parts.scheme}://: only http:// is supported.")
    headers = {}
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(credentials.encode()).decode()}"
    return Proxy(parts.hostname, parts.port or 80, headers)
