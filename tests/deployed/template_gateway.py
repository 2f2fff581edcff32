"""API Gateway as configured in the template: routes, integrations and gateway responses."""

from __future__ import annotations

import json
import re
import time
import uuid
from typing import TYPE_CHECKING, Any

from infra.local.compression import compress_response
from infra.local.gateway import MAX_HEADER_BYTES
from infra.local.http_server import LoopbackHandler
from infra.local.lambda_proxy import ProxyRequest, response_from
from infra.local.routes import Routes
from infra.local.wire import MAX_BODY, HttpResponse
from infra.packaging.gateway_responses import ANY_METHOD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.local.wire import Headers, HttpSyntaxError
    from tests.deployed.cloudformation import Stack
    from tests.deployed.lambda_service import LambdaService

Json = dict[str, Any]

INTEGRATION_SECONDS = 29.0

_INTEGRATION_URI = re.compile(r"/functions/arn:aws:lambda:[^:]+:[0-9]+:function:(\w+):live/invocations$")


class TemplateGateway(LoopbackHandler):
    """Serves the API of a stack with the functions of *lambdas*, at the root path as with a custom domain."""

    def __init__(self, lambdas: LambdaService) -> None:
        self._lambdas = lambdas
        self._routes = Routes({})
        self._responses: Mapping[str, Json] = {}
        self._stage = ""

    def deploy(self, stack: Stack) -> None:
        """Serve the API of *stack* from now on."""
        (api,) = stack.of_type("AWS::Serverless::Api").values()
        document = api["DefinitionBody"]
        self._stage = api["StageName"]
        self._routes = Routes(document["paths"])
        self._responses = document["x-amazon-apigateway-gateway-responses"]

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Return the response to one request."""
        request_id = str(uuid.uuid4())
        context = {"requestId": request_id, "httpMethod": method}
        reply = self._route(context, target, headers, body)
        reply = HttpResponse(reply.status, [*reply.headers, ("x-amzn-RequestId", request_id)], reply.body)
        return compress_response(reply, headers)

    def refuse(self, error: HttpSyntaxError) -> HttpResponse:
        """Return the response to a malformed request."""
        kind = "REQUEST_TOO_LARGE" if error.too_large else "BAD_REQUEST_BODY"
        return self._response(kind, {"requestId": str(uuid.uuid4()), "httpMethod": ""})

    def _route(self, context: Mapping[str, str], target: str, headers: Headers, body: bytes) -> HttpResponse:
        if len(target) + sum(len(value) for _, value in headers) > MAX_HEADER_BYTES:
            return self._response("BAD_REQUEST_PARAMETERS", context)
        if len(body) > MAX_BODY:
            return self._response("REQUEST_TOO_LARGE", context)
        route = self._routes.find(target.partition("?")[0])
        if route is None:
            return self._response("MISSING_AUTHENTICATION_TOKEN", context)
        resource, variables = route
        operations: Any = resource.views
        integration = operations.get(context["httpMethod"].lower(), operations[ANY_METHOD])[
            "x-amazon-apigateway-integration"
        ]
        if integration["type"] == "mock":
            return _mock_response(integration, context)
        request = ProxyRequest(
            request_id=context["requestId"],
            stage=self._stage,
            resource=resource.path,
            path_parameters=variables,
            method=context["httpMethod"],
            target=target,
            headers=headers,
            body=body,
            epoch=time.time(),
        )
        return self._invoke(request, integration, context)

    def _invoke(self, request: ProxyRequest, integration: Json, context: Mapping[str, str]) -> HttpResponse:
        function = _INTEGRATION_URI.search(integration["uri"])
        assert function, integration["uri"]
        started = time.monotonic()
        outcome = self._lambdas.invoke(function[1], request.event(binary_types=()))
        if time.monotonic() - started > INTEGRATION_SECONDS:
            return self._response("INTEGRATION_TIMEOUT", context)
        # The document of a function that failed is not a response.
        if outcome.error:
            return self._response("DEFAULT_5XX", context)
        try:
            return response_from(json.loads(outcome.body), decode=False)
        except (ValueError, TypeError):
            return self._response("DEFAULT_5XX", context)

    def _response(self, kind: str, context: Mapping[str, str]) -> HttpResponse:
        response = self._responses[kind]
        headers = {
            name.removeprefix("gatewayresponse.header."): _map_value(value, context)
            for name, value in response["responseParameters"].items()
        }
        return _render(int(response["statusCode"]), headers, response["responseTemplates"], context)


def _mock_response(integration: Json, context: Mapping[str, str]) -> HttpResponse:
    """Return the response of a mock integration."""
    response = integration["responses"]["default"]
    headers = {
        name.removeprefix("method.response.header."): _map_value(value, context)
        for name, value in response["responseParameters"].items()
    }
    return _render(int(response["statusCode"]), headers, response.get("responseTemplates", {}), context)


def _map_value(expression: str, context: Mapping[str, str]) -> str:
    """Return the value of a header: a quoted string, or a value of the context."""
    if expression.startswith("'"):
        return expression.strip("'")
    return context[expression.removeprefix("context.")]


def _render(status: int, headers: Mapping[str, str], templates: Json, context: Mapping[str, str]) -> HttpResponse:
    text = str(templates.get("application/json", ""))
    for name, value in context.items():
        text = text.replace(f"$context.{name}", value)
    return HttpResponse(status, list(headers.items()), text.encode())
