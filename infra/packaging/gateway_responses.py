"""The error responses of API Gateway itself, as problem details like those of the functions."""

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
"""API Gateway's keyword for the methods that a path does not list."""

_REQUEST_ID = "$context.requestId"
_NOT_FOUND = errors.RouteNotFound("No such path. GET /researcher/api/v1/openapi.json lists all paths.")
_UNREADABLE = errors.MalformedRequest(
    "API Gateway cannot parse the request. The OpenAPI document describes the format."
)
_TOO_MANY = errors.TooManyRequests("The request rate of the API is above its limit. Try again later.", retry_after=1)
_FAILED = errors.BadGateway("The function failed or returned an invalid response. Try again later.")
_OVERLOADED = errors.Overloaded("The API has no capacity for the request at present. Try again later.", retry_after=2)
_TOO_SLOW = errors.DeadlineExceeded("The function took longer than 29 seconds. The operation may still complete.")

BY_TYPE: dict[str, errors.ResearcherError] = {
    # Without an authorizer, API Gateway treats an unknown path as an AWS request without a signature or, if it has a
    # bearer token, with an invalid one.
    "MISSING_AUTHENTICATION_TOKEN": _NOT_FOUND,
    "INVALID_SIGNATURE": _NOT_FOUND,
    "ACCESS_DENIED": _NOT_FOUND,
    "RESOURCE_NOT_FOUND": _NOT_FOUND,
    "BAD_REQUEST_BODY": _UNREADABLE,
    "BAD_REQUEST_PARAMETERS": _UNREADABLE,
    "REQUEST_TOO_LARGE": errors.BodyTooLarge(f"The body must be at most {MAX_BODY} bytes."),
    "UNSUPPORTED_MEDIA_TYPE": errors.UnsupportedMediaType(
        "Send the body as JSON, with the header Content-Type: application/json."
    ),
    "THROTTLED": _TOO_MANY,
    "QUOTA_EXCEEDED": _TOO_MANY,
    "WAF_FILTERED": errors.Forbidden("A firewall rejected the request."),
    # Lambda has not invoked the function: as a rule its concurrency, or that of the account, is used up. An invocation
    # that fails has an invalid response, which is DEFAULT_5XX.
    "INTEGRATION_FAILURE": _OVERLOADED,
    "INTEGRATION_TIMEOUT": _TOO_SLOW,
    "DEFAULT_4XX": _UNREADABLE,
    "DEFAULT_5XX": _FAILED,
}
"""The gateway responses that an API without authorizers and API keys can return, and the two defaults.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""


def gateway_responses(origin: str) -> JsonObject:
    """Return the extension x-amazon-apigateway-gateway-responses; scripts of *origin*, if any, may read them."""
    return {kind: _response(error, origin) for kind, error in BY_TYPE.items()}


def not_allowed(methods: Sequence[str], origin: str) -> JsonObject:
    """Return the operation for all methods except *methods*: 405 without invoking a function."""
    allowed = ", ".join(sorted(methods))
    error = errors.MethodNotAllowed(f"This path does not support $context.httpMethod; use one of {allowed}.")
    headers = {**_headers(error, origin), "Allow": f"'{allowed}'"}
    status = str(error.status)
    return {
        "responses": {status: {"description": error.title, "headers": {name: {"type": "string"} for name in headers}}},
        "x-amazon-apigateway-integration": {
            "type": "mock",
            # The template is only for JSON; a body of another type receives 415.
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
        "statusCode": str(error.status),
        "responseParameters": {f"gatewayresponse.header.{name}": text for name, text in headers.items()},
        # The key selects the template; the header sets the content type.
        "responseTemplates": {"application/json": _body(error)},
    }


def _headers(error: errors.ResearcherError, origin: str) -> dict[str, str]:
    """Return the mapping expression of each header: a quoted string, or the source of the value."""
    retry_after = {"Retry-After": f"'{error.retry_after}'"} if error.retry_after else {}
    cors = {"Access-Control-Allow-Origin": f"'{origin}'"} if origin else {}
    headers = {"Content-Type": f"'{PROBLEM}'", "Cache-Control": "'no-store'", "X-Request-Id": "context.requestId"}
    return headers | retry_after | cors


def _body(error: errors.ResearcherError) -> str:
    return msgspec.json.encode(error.problem(_REQUEST_ID)).decode()
