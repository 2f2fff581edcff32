"""The Chalice app that answers in our words even where no view does: to a path or a method that is not its own."""

from __future__ import annotations

from typing import Any

import msgspec
from chalice.app import Chalice

from chalicelib.domain.errors import RouteNotFound

DETAIL = "There is nothing at this path for this method. GET /openapi.json tells what there is."


class ProblemDetailsChalice(Chalice):
    """Chalice, whose own words for a misrouted request are a 500, or not problem details."""

    def __call__(self, event: dict[str, Any], context: object) -> dict[str, Any]:
        """The answer to an event of API Gateway, as a Lambda proxy integration gives it."""
        request = event.get("requestContext") or {}
        if request.get("httpMethod") in self.routes.get(str(request.get("resourcePath")), {}):
            response: dict[str, Any] = super().__call__(event, context)
            return response
        request_id = str(request.get("requestId"))
        return {
            "statusCode": RouteNotFound.status,
            "headers": {"Content-Type": "application/problem+json", "X-Request-Id": request_id},
            "multiValueHeaders": {},
            "body": msgspec.json.encode(RouteNotFound(DETAIL).problem(request_id)).decode(),
            "isBase64Encoded": False,
        }
