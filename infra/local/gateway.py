"""API Gateway on loopback: a REST API with Lambda proxy integration in front of a Chalice app.

Served at the root, as with a custom domain name, so that `requestContext.path` equals the path of the URL.
"""

from __future__ import annotations

import logging
import time
import uuid
from typing import TYPE_CHECKING

import msgspec

from chalicelib.domain.errors import (
    BadGateway,
    BodyTooLarge,
    DeadlineExceeded,
    MalformedRequest,
    MethodNotAllowed,
    ResearcherError,
    RouteNotFound,
)
from infra.local.compression import compress_response
from infra.local.http_server import LoopbackHandler
from infra.local.lambda_proxy import LambdaContext, ProxyRequest, response_from
from infra.local.lambda_run import FunctionError, run_with_timeout
from infra.local.routes import Resource, Routes
from infra.local.thread_local_request import use_thread_local_request
from infra.local.wire import MAX_BODY, HttpResponse

if TYPE_CHECKING:
    from typing import Any

    from chalice.app import Chalice, CORSConfig

    from infra.local.wire import Headers, HttpSyntaxError

__all__ = ["Gateway", "HttpResponse"]

INTEGRATION_SECONDS = 29.0
MAX_HEADER_BYTES = 10_240
"""API Gateway's limit for the request line and all header values together."""

_NOT_FOUND = "No such path. GET /researcher/api/v1/openapi.json lists all paths."
_NOT_ALLOWED = "This path does not support {method}; use one of {methods}."
_TOO_LARGE = f"The body must be at most {MAX_BODY} bytes."
_HEADERS_TOO_LARGE = f"The request line and the headers must be at most {MAX_HEADER_BYTES} bytes in total."
_FUNCTION_FAILED = "The function failed or returned an invalid response. Try again later."
_TOO_SLOW = "The function took longer than {seconds:g} seconds. The operation may still complete."

_log = logging.getLogger(__name__)


class Gateway(LoopbackHandler):
    """Serves the views of a Chalice app as the deployed API does."""

    def __init__(
        self,
        app: Chalice,
        stage: str = "api",
        integration_seconds: float = INTEGRATION_SECONDS,
        home: str | None = None,
    ) -> None:
        """Serve *app*; redirect the root to the path *home*, which a deployment does not do."""
        use_thread_local_request(app)
        self._app = app
        self._stage = stage
        self._integration_seconds = integration_seconds
        self._routes = Routes(app.routes)
        self._home = home

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Respond to one request; errors of the app become responses with 502 or 504."""
        request_id = str(uuid.uuid4())
        try:
            response = self._route(request_id, method, target, headers, body)
        except ResearcherError as error:
            response = _problem(error, request_id)
        response = HttpResponse(response.status, [*response.headers, ("x-amzn-RequestId", request_id)], response.body)
        return compress_response(response, headers)

    def refuse(self, error: HttpSyntaxError) -> HttpResponse:
        """Respond to bytes that are not a valid HTTP request."""
        kind = BodyTooLarge if error.too_large else MalformedRequest
        return _problem(kind(error.detail), str(uuid.uuid4()))

    def _route(self, request_id: str, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        _check_size(target, headers, body)
        if self._home and method in {"GET", "HEAD"} and target.partition("?")[0] == "/":
            return HttpResponse(302, [("Location", self._home)])
        found = self._routes.find(target.partition("?")[0])
        if found is None:
            raise RouteNotFound(_NOT_FOUND)
        resource, variables = found
        if method not in resource.views:
            return _no_view(resource, method, request_id)
        request = ProxyRequest(
            request_id=request_id,
            stage=self._stage,
            resource=resource.path,
            path_parameters=variables,
            method=method,
            target=target,
            headers=headers,
            body=body,
            epoch=time.time(),
        )
        return self._integrate(request, resource.views[method].view_name)

    def _integrate(self, request: ProxyRequest, function: str) -> HttpResponse:
        binary_types = self._app.api.binary_types
        try:
            result = self._invoke(request.event(binary_types), function)
            response = response_from(result, decode=request.wants_binary(binary_types))
        except TimeoutError as error:
            raise DeadlineExceeded(_TOO_SLOW.format(seconds=self._integration_seconds)) from error
        except (FunctionError, ValueError, TypeError, RecursionError) as error:
            _log.exception("function=%s request=%s failed", function, request.request_id)
            raise BadGateway(_FUNCTION_FAILED) from error
        if response.header("content-type") is None and response.body:
            return HttpResponse(
                response.status, [*response.headers, ("Content-Type", "application/json")], response.body
            )
        return response

    def _invoke(self, event: dict[str, Any], function: str) -> object:
        end = time.monotonic() + self._integration_seconds
        context = LambdaContext(function, str(uuid.uuid4()), lambda: end - time.monotonic())
        return run_with_timeout(lambda: self._app(event, context), self._integration_seconds)


def _check_size(target: str, headers: Headers, body: bytes) -> None:
    if len(target) + sum(len(value) for _, value in headers) > MAX_HEADER_BYTES:
        raise MalformedRequest(_HEADERS_TOO_LARGE)
    if len(body) > MAX_BODY:
        raise BodyTooLarge(_TOO_LARGE)


def _no_view(resource: Resource, method: str, request_id: str) -> HttpResponse:
    if method == "OPTIONS" and resource.cors is not None:
        return _preflight(resource, resource.cors)
    allowed = ", ".join(resource.methods)
    error = MethodNotAllowed(_NOT_ALLOWED.format(method=method, methods=allowed))
    return _problem(error, request_id, ("Allow", allowed))


def _preflight(resource: Resource, cors: CORSConfig) -> HttpResponse:
    # Chalice packages a preflight as a mock integration, which responds to any origin.
    methods = ",".join(resource.methods)
    headers = {"Access-Control-Allow-Methods": methods, **cors.get_access_control_headers()}
    return HttpResponse(200, list(headers.items()))


def _problem(error: ResearcherError, request_id: str, *headers: tuple[str, str]) -> HttpResponse:
    body = msgspec.json.encode(error.problem(request_id))
    own = [("Content-Type", "application/problem+json"), ("X-Request-Id", request_id)]
    return HttpResponse(error.status, [*own, *headers], body)
