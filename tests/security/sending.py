"""Requests to the functions with arbitrary header lines and paths, without an HTTP client in between."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chalicelib.runtime.operation import BASE
from tests.support.secrets import checked

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from infra.local.wire import Headers, HttpResponse


def send_raw(stack: Stack[Any], method: str, path: str, headers: Headers, document: object = None) -> HttpResponse:
    """Send a request through API Gateway, and return the response; fail if an error has a secret.

    Bytes are a raw body.
    """
    content_type = [] if document is None else [("Content-Type", "application/json")]
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    response = stack.gateway.answer(method, BASE + path, [*headers, *content_type], b"" if document is None else body)
    if response.status >= 400:
        checked(response.body.decode())
    return response


def problem(response: HttpResponse) -> dict[str, Any]:
    """Return the problem document of *response*, without its request id."""
    found: dict[str, Any] = json.loads(response.body)
    found.pop("instance", None)
    return found


def constant(response: HttpResponse) -> Headers:
    """Return the header lines of *response* that do not depend on the request."""
    return sorted(line for line in response.headers if line[0].lower() not in ("x-request-id", "x-amzn-requestid"))
