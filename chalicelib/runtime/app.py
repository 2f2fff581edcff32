"""The Chalice app, with problem details also for requests that match no route."""

from __future__ import annotations

from typing import Any

import msgspec
from chalice.app import Chalice

from chalicelib.domain.errors import RouteNotFound
from chalicelib.runtime.urls import docs_url

DETAIL = "No operation has this path and method. GET /openapi.json lists all operations."


class ProblemDetailsChalice(Chalice):
    """Chalice, which would respond with a 500 or without problem details to a request that matches no route."""

    def __call__(self, event: dict[str, Any], context: object) -> dict[str, Any]:
        """Return the response to an API Gateway *event*, in the format of a Lambda proxy integration."""
        request = event.get("requestContext") or {}
        if request.get("httpMethod") in self.routes.get(str(request.get("resourcePath")), {}):
            response: dict[str, Any] = super().__call__(event, context)
            return response
        request_id = str(request.get("requestId") or getattr(context, "aws_request_id", ""))
        page = docs_url(str(request.get("domainName") or ""), str(request.get("path")))
        return {
            "statusCode": RouteNotFound.status,
            "headers": {"Content-Type": "application/problem+json", "X-Request-Id": request_id},
            "multiValueHeaders": {},
            "body": msgspec.json.encode(RouteNotFound(DETAIL).problem(request_id, page)).decode(),
            "isBase64Encoded": False,
        }
