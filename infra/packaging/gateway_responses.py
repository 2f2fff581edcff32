"""What API Gateway answers when no function does, in the words and the shape of our own errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.domain import errors
from chalicelib.runtime.http import MAX_BODY

if TYPE_CHECKING:
    from collections.abc import Sequence

JsonObject = dict[str, Any]

PROBLEM = "application/problem+json"
ANY_METHOD = "x-amazon-apigateway-any-method"
"""API Gateway's word for the methods that a path does not name."""

_REQUEST_ID = "$context.requestId"
_NOTHING_HERE = errors.RouteNotFound(
    "There is nothing at this path; GET /researcher/api/v1/openapi.json lists what there is."
)
_UNREADABLE = errors.MalformedRequest("API Gateway cannot read the request. Send it as the OpenAPI document says.")
_TOO_MANY = errors.TooManyRequests("The API has more requests than it may take. Try again.", retry_after=1)
_FAILED = errors.BadGateway("The function failed, or answered what API Gateway cannot pass on. Try again later.")
_TOO_SLOW = errors.DeadlineExceeded(
    "The function took longer than 29 seconds. It may still finish what it was asked to do."
)

BY_TYPE: dict[str, errors.ResearcherError] = {
    # Without an authorizer API Gateway takes a path it does not know for an AWS call of its own that is not signed,
    # or, when the request has a bearer token, is signed badly.
    "MISSING_AUTHENTICATION_TOKEN": _NOTHING_HERE,
    "INVALID_SIGNATURE": _NOTHING_HERE,
    "ACCESS_DENIED": _NOTHING_HERE,
    "RESOURCE_NOT_FOUND": _NOTHING_HERE,
    "BAD_REQUEST_BODY": _UNREADABLE,
    "BAD_REQUEST_PARAMETERS": _UNREADABLE,
    "REQUEST_TOO_LARGE": errors.BodyTooLarge(f"A body has at most {MAX_BODY} bytes."),
    "UNSUPPORTED_MEDIA_TYPE": errors.UnsupportedMediaType(
        "Send the body as JSON, with the header Content-Type: application/json"
    ),
    "THROTTLED": _TOO_MANY,
    "QUOTA_EXCEEDED": _TOO_MANY,
    "WAF_FILTERED": errors.Forbidden("A firewall in front of this API refuses the request."),
    "INTEGRATION_FAILURE": _FAILED,
    "INTEGRATION_TIMEOUT": _TOO_SLOW,
    "DEFAULT_4XX": _UNREADABLE,
    "DEFAULT_5XX": _FAILED,
}
"""The types of gateway responses (https://docs.aws.amazon.com/apigateway/latest/developerguide/
supported-gateway-response-types.html) that an API without authorizers and keys can give, and the two defaults."""


def gateway_responses(origin: str) -> JsonObject:
    """The extension x-amazon-apigateway-gateway-responses; web pages of *origin*, if any, may read the answers."""
    return {kind: _response(error, origin) for kind, error in BY_TYPE.items()}


def not_allowed(methods: Sequence[str], origin: str) -> JsonObject:
    """The operation of all other methods of a path that answers *methods*: 405 without asking any function."""
    allowed = ", ".join(sorted(methods))
    error = errors.MethodNotAllowed(f"This path does not answer $context.httpMethod; it answers {allowed}.")
    headers = {**_headers(error, origin), "Allow": f"'{allowed}'"}
    status = str(error.status)
    return {
        "responses": {status: {"description": error.title, "headers": {name: {"type": "string"} for name in headers}}},
        "x-amazon-apigateway-integration": {
            "type": "mock",
            # Other bodies than JSON are answered 415 before this is asked.
            "passthroughBehavior": "when_no_templates",
            "requestTemplates": {"application/json": '{"statusCode": 405}'},
            "responses": {
                "default": {
                    "statusCode": status,
                    "responseParameters": {f"method.response.header.{name}": text for name, text in headers.items()},
                    "responseTemplates": {"application/json": _body(error)},
                }
            },
        },
    }


def _response(error: errors.ResearcherError, origin: str) -> JsonObject:
    headers = _headers(error, origin)
    return {
        "statusCode": error.status,
        "responseParameters": {f"gatewayresponse.header.{name}": text for name, text in headers.items()},
        # The key chooses the template; the header says what it is.
        "responseTemplates": {"application/json": _body(error)},
    }


def _headers(error: errors.ResearcherError, origin: str) -> dict[str, str]:
    """Header to mapping expression: a quoted text, or where API Gateway finds the value."""
    pause = {"Retry-After": f"'{error.retry_after}'"} if error.retry_after else {}
    readable = {"Access-Control-Allow-Origin": f"'{origin}'"} if origin else {}
    always = {"Content-Type": f"'{PROBLEM}'", "Cache-Control": "'no-store'", "X-Request-Id": "context.requestId"}
    return always | pause | readable


def _body(error: errors.ResearcherError) -> str:
    return msgspec.json.encode(error.problem(_REQUEST_ID)).decode()
