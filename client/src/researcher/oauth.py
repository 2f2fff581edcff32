"""Requests to a token issuer: OAuth 2.0 forms and JSON responses. They are never repeated by themselves."""

from __future__ import annotations

import base64
import json
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from researcher.connection import BROKEN, Connection, Response
from researcher.errors import ResearcherError, Unavailable

TIMEOUT = 30.0
_FORM = "application/x-www-form-urlencoded"


class OAuthError(ResearcherError):
    """An error response of a token issuer, with its code (RFC 6749, section 5.2)."""

    exit_code = 77

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}" if description else code)
        self.code = code


def post_form(url: str, form: dict[str, str], basic: tuple[str, str] | None = None) -> dict[str, Any]:
    """Send a form and return the JSON object of the response; *basic* is a client's ID and secret."""
    headers = {"Content-Type": _FORM, "Accept": "application/json"}
    if basic:
        pair = ":".join(quote_plus(each) for each in basic)  # RFC 6749, section 2.3.1
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return _exchange(url, "POST", headers, urlencode(form).encode())


def get_json(url: str, query: dict[str, str] | None = None, bearer: str = "") -> dict[str, Any]:
    """Return the JSON object at *url*."""
    if query:
        url += ("&" if "?" in url else "?") + urlencode(query)
    authorization = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return _exchange(url, "GET", {"Accept": "application/json", **authorization}, None)


def _exchange(url: str, method: str, headers: dict[str, str], body: bytes | None) -> dict[str, Any]:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = Connection(url, timeout=TIMEOUT)
    try:
        response = connection.send(method, target, headers, body, TIMEOUT)
    except BROKEN as error:
        raise Unavailable(f"The token issuer {parts.netloc} does not respond: {error}.") from error
    finally:
        connection.close()
    return _checked(response, parts.netloc)


def _checked(response: Response, host: str) -> dict[str, Any]:
    try:
        document = json.loads(response.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Unavailable(f"The token issuer {host} responded with status {response.status}, and not with JSON.")
    if response.status != HTTPStatus.OK:
        raise OAuthError(str(document.get("error", response.status)), str(document.get("error_description", "")))
    return document
