"""Requests to the functions with whatever header lines and path an attacker chooses: no client stands in between."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chalicelib.runtime.operation import BASE
from tests.support.secrets import checked

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from infra.local.wire import Headers, HttpResponse


def sent(stack: Stack[Any], method: str, path: str, headers: Headers, document: object = None) -> HttpResponse:
    """The answer of API Gateway and the function behind it, no refusal with a secret; bytes are a body as it stands."""
    typed = [] if document is None else [("Content-Type", "application/json")]
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    reply = stack.gateway.answer(method, BASE + path, [*headers, *typed], b"" if document is None else body)
    if reply.status >= 400:
        checked(reply.body.decode())
    return reply


def problem(reply: HttpResponse) -> dict[str, Any]:
    """The problem document of *reply*, without the request's id."""
    found: dict[str, Any] = json.loads(reply.body)
    found.pop("instance", None)
    return found


def constant(reply: HttpResponse) -> Headers:
    """The header lines of *reply* that are not of this very request."""
    return sorted(line for line in reply.headers if line[0].lower() not in ("x-request-id", "x-amzn-requestid"))
