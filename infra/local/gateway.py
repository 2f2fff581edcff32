"""API Gateway on loopback: a REST API with Lambda proxy integration in front of a Chalice app.

Served at the root, as with a custom domain, so that `requestContext.path` is the path of the URL.
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
from infra.local.compression import compressed
from infra.local.http_server import LoopbackHandler
from infra.local.lambda_proxy import LambdaContext, ProxyRequest, response_from
from infra.local.lambda_run import FunctionError, outcome_of
from infra.local.routes import Resource, Routes
from infra.local.thread_local_request import give_each_thread_its_own_request
from infra.local.wire import MAX_BODY, HttpResponse

if TYPE_CHECKING:
    from typing import Any

    from chalice.app import Chalice, CORSConfig

    from infra.local.wire import Headers, HttpSyntaxError

__all__ = ["Gateway", "HttpResponse"]

INTEGRATION_SECONDS = 29.0
MAX_HEADER_BYTES = 10_240
"""API Gateway's limit for the request line and all header values together."""

_NOT_FOUND = "There is nothing at this path; GET /researcher/api/v1/openapi.json lists what there is."
_NOT_ALLOWED = "This path does not answer {method}; it answers {methods}."
_TOO_LARGE = f"A body has at most {MAX_BODY} bytes."
_LONG_HEADERS = f"The request line and the headers have at most {MAX_HEADER_BYTES} bytes together."
_NO_ANSWER = "The function failed, or answered what API Gateway cannot pass on. Try again later."
_TOO_SLOW = "The function took longer than {seconds:g} seconds. It may still finish what it was asked to do."

_log = logging.getLogger(__name__)


class Gateway(LoopbackHandler):
    """Answers HTTP requests with the views of a Chalice app, as the deployed API would."""

    def __init__(
        self,
        app: Chalice,
        stage: str = "api",
        integration_seconds: float = INTEGRATION_SECONDS,
    ) -> None:
        give_each_thread_its_own_request(app)
        self._app = app
        self._stage = stage
        self._integration_seconds = integration_seconds
        self._routes = Routes(app.routes)

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """The answer to one request; nothing that the app does makes this raise."""
        request_id = str(uuid.uuid4())
        try:
            reply = self._routed(request_id, method, target, headers, body)
        except ResearcherError as refusal:
            reply = _problem(refusal, request_id)
        reply = HttpResponse(reply.status, [*reply.headers, ("x-amzn-RequestId", request_id)], reply.body)
        return compressed(reply, headers)

    def refuse(self, error: HttpSyntaxError) -> HttpResponse:
        """The answer to bytes that are no request."""
        kind = BodyTooLarge if error.too_large else MalformedRequest
        return _problem(kind(error.detail), str(uuid.uuid4()))

    def _routed(self, request_id: str, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        _check_size(target, headers, body)
        found = self._routes.find(target.partition("?")[0])
        if found is None:
            raise RouteNotFound(_NOT_FOUND)
        resource, variables = found
        if method not in resource.views:
            return _without_view(resource, method, request_id)
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
        return self._integrated(request, resource.views[method].view_name)

    def _integrated(self, request: ProxyRequest, function: str) -> HttpResponse:
        binary_types = self._app.api.binary_types
        try:
            answer = self._invoked(request.event(binary_types), function)
            reply = response_from(answer, decode=request.wants_binary(binary_types))
        except TimeoutError as error:
            raise DeadlineExceeded(_TOO_SLOW.format(seconds=self._integration_seconds)) from error
        except (FunctionError, ValueError, TypeError, RecursionError) as error:
            _log.exception("function=%s request=%s did not answer", function, request.request_id)
            raise BadGateway(_NO_ANSWER) from error
        if reply.header("content-type") is None and reply.body:
            return HttpResponse(reply.status, [*reply.headers, ("Content-Type", "application/json")], reply.body)
        return reply

    def _invoked(self, event: dict[str, Any], function: str) -> object:
        ends = time.monotonic() + self._integration_seconds
        context = LambdaContext(function, str(uuid.uuid4()), lambda: ends - time.monotonic())
        return outcome_of(lambda: self._app(event, context), self._integration_seconds)


def _check_size(target: str, headers: Headers, body: bytes) -> None:
    if len(target) + sum(len(value) for _, value in headers) > MAX_HEADER_BYTES:
        raise MalformedRequest(_LONG_HEADERS)
    if len(body) > MAX_BODY:
        raise BodyTooLarge(_TOO_LARGE)


def _without_view(resource: Resource, method: str, request_id: str) -> HttpResponse:
    if method == "OPTIONS" and resource.cors is not None:
        return _preflight(resource, resource.cors)
    allowed = ", ".join(resource.methods)
    refusal = MethodNotAllowed(_NOT_ALLOWED.format(method=method, methods=allowed))
    return _problem(refusal, request_id, ("Allow", allowed))


def _preflight(resource: Resource, cors: CORSConfig) -> HttpResponse:
    # Chalice packages it so: a mock integration, answering whoever asks.
    methods = ",".join(resource.methods)
    headers = {"Access-Control-Allow-Methods": methods, **cors.get_access_control_headers()}
    return HttpResponse(200, list(headers.items()))


def _problem(refusal: ResearcherError, request_id: str, *headers: tuple[str, str]) -> HttpResponse:
    body = msgspec.json.encode(refusal.problem(request_id))
    own = [("Content-Type", "application/problem+json"), ("X-Request-Id", request_id)]
    return HttpResponse(refusal.status, [*own, *headers], body)
