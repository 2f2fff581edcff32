"""API Gateway on loopback, in front of a small Chalice app."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from chalice.app import Blueprint, Chalice, CORSConfig, Response

from infra.local.gateway import MAX_HEADER_BYTES, Gateway
from infra.local.wire import MAX_BODY, HttpResponse, HttpSyntaxError

CONCURRENT = 64
views = Blueprint("views")
barrier = threading.Barrier(CONCURRENT)
release = threading.Event()


@views.route("/jobs", name="list_jobs")
def list_jobs() -> dict[str, Any]:
    """Return what the view received."""
    request, context = views.current_request, views.lambda_context
    return {
        "function": context.function_name,
        "path": request.context["path"],
        "query": request.query_params and {name: request.query_params.getlist(name) for name in request.query_params},
        "remaining": context.get_remaining_time_in_millis(),
    }


@views.route("/jobs", methods=["POST"], cors=CORSConfig(allow_origin="https://a", max_age=60), name="submit_job")
def submit_job() -> Response:
    """Return the body of the request."""
    body = views.current_request.raw_body
    return Response(
        body if isinstance(body, str) else body.decode(), {"Content-Type": "text/plain", "X-Request-Id": "own"}, 201
    )


@views.route("/image", name="image")
def image() -> Response:
    """Return a binary response."""
    return Response(b"\xff", {"Content-Type": "image/png"})


@views.route("/invalid", name="invalid")
def invalid() -> Response:
    """Return a result that a Lambda function cannot return."""
    return Response("x", status_code="many")  # type: ignore[arg-type] # the invalid status is the case


@views.route("/broken", name="broken")
def broken() -> str:
    """Fail outside of Chalice's error handling."""
    raise SystemExit(1)


@views.route("/slow", name="slow")
def slow() -> str:
    """Exceed the timeout."""
    release.wait(30)
    return "late"


@views.route("/concurrent/{number}", name="concurrent")
def concurrent(number: str) -> dict[str, Any]:
    """Wait until all requests are inside the view, and only then read the current request."""
    barrier.wait(30)
    request, context = views.current_request, views.lambda_context
    received = [number, request.headers["x-number"], dict(request.query_params or ())["number"]]
    barrier.wait(30)
    again, path = views.current_request.headers["x-number"], views.current_request.context["path"]
    return {"received": [*received, again, path], "request": context.aws_request_id}


application = Chalice("test", configure_logs=False)
application.register_blueprint(views)


@pytest.fixture
def gateway() -> Gateway:
    """Return a gateway without a socket."""
    return Gateway(application)


def problem(response: HttpResponse) -> dict[str, Any]:
    """Return the problem details in *response* after checking the common fields."""
    details: dict[str, Any] = json.loads(response.body)
    assert response.header("content-type") == "application/problem+json"
    assert set(details) == {"type", "title", "status", "detail", "instance", "code"}
    assert details["status"] == response.status
    assert details["instance"].endswith(response.header("x-request-id") or "missing")
    return details


class TestRouting:
    """Requests that reach a view."""

    def test_view_is_called(self, gateway: Gateway) -> None:
        """The view receives its request and its context."""
        response = gateway.answer("GET", "/jobs?a=1&a=2", [], b"")

        received = json.loads(response.body)
        remaining = received.pop("remaining")
        assert received == {"function": "list_jobs", "path": "/jobs", "query": {"a": ["1", "2"]}}
        assert 0 < remaining <= 29_000
        assert response.header("content-type") == "application/json"
        assert response.header("x-amzn-requestid")

    def test_response_of_the_view_is_returned(self, gateway: Gateway) -> None:
        """Status, headers and body are the view's; a binary type must be the first one in the Accept header."""
        response = gateway.answer("POST", "/jobs", [("Content-Type", "application/json")], "ü".encode())

        assert (response.status, response.body, response.header("x-request-id")) == (201, "ü".encode(), "own")
        assert response.header("access-control-allow-origin") == "https://a"
        assert gateway.answer("GET", "/image", [("Accept", "image/png")], b"").body == b"\xff"
        for accept in ("*/*", "image/avif, image/png"):
            assert gateway.answer("GET", "/image", [("Accept", accept)], b"").body == b"/w=="

    def test_concurrent_requests_do_not_mix(self, gateway: Gateway) -> None:
        """Of 64 concurrent requests, each reads its own request and its own context."""

        def send(number: str) -> Any:  # noqa: ANN401 - JSON
            target = f"/concurrent/{number}?number={number}"
            return json.loads(gateway.answer("GET", target, [("X-Number", number)], b"").body)

        numbers = [str(number) for number in range(CONCURRENT)]
        with ThreadPoolExecutor(CONCURRENT) as threads:
            results = list(threads.map(send, numbers))

        assert len({each["request"] for each in results}) == CONCURRENT
        assert [each["received"] for each in results] == [
            [number] * 4 + [f"/concurrent/{number}"] for number in numbers
        ]


class TestErrors:
    """Requests that no view handles."""

    @pytest.mark.parametrize(
        ("method", "target", "authorization", "body", "status", "code"),
        [
            pytest.param("GET", "/nothing", "", b"", 404, "route_not_found", id="unknown path"),
            pytest.param("POST", "/jobs", "", b"a" * (MAX_BODY + 1), 413, "body_too_large", id="large body"),
            pytest.param("GET", "/jobs", "a" * MAX_HEADER_BYTES, b"", 400, "malformed_request", id="long headers"),
            pytest.param("GET", "/invalid", "", b"", 502, "bad_gateway", id="invalid result of the function"),
        ],
    )
    def test_error_has_its_code(  # noqa: PLR0913, PLR0917 - a request and its response
        self, gateway: Gateway, method: str, target: str, authorization: str, body: bytes, status: int, code: str
    ) -> None:
        """The limits of API Gateway apply, and an invalid result of a function is not sent to the client."""
        response = gateway.answer(method, target, [("Authorization", authorization)], body)

        assert (response.status, problem(response)["code"]) == (status, code)
        assert b"many" not in response.body

    @pytest.mark.parametrize("method", ["PUT", "HEAD", "TRACE", "BREW", "get"])
    def test_other_methods_are_not_allowed(self, gateway: Gateway, method: str) -> None:
        """405 lists the methods of the path."""
        response = gateway.answer(method, "/jobs", [], b"")

        assert problem(response)["code"] == "method_not_allowed"
        assert response.header("allow") == "GET, OPTIONS, POST"

    def test_preflight_needs_a_cors_configuration(self, gateway: Gateway) -> None:
        """A preflight has the route's CORS configuration; without one, OPTIONS is a method like any other."""
        response = gateway.answer("OPTIONS", "/jobs", [("Origin", "https://a")], b"")

        assert (response.status, response.body) == (200, b"")
        assert response.header("access-control-allow-origin") == "https://a"
        assert response.header("access-control-allow-methods") == "GET,OPTIONS,POST"
        assert response.header("access-control-max-age") == "60"
        assert "Authorization" in (response.header("access-control-allow-headers") or "")
        assert gateway.answer("OPTIONS", "/image", [], b"").status == 405

    def test_function_that_raises_is_a_bad_gateway(self, gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
        """The client receives 502, and the log has the cause."""
        response = gateway.answer("GET", "/broken", [], b"")

        assert problem(response)["code"] == "bad_gateway"
        assert "SystemExit" in caplog.text
        assert "function=broken" in caplog.text

    def test_slow_function_times_out(self) -> None:
        """The client receives 504 after the integration timeout, even if the function continues."""
        release.clear()

        response = Gateway(application, integration_seconds=0.01).answer("GET", "/slow", [], b"")

        release.set()
        assert (response.status, problem(response)["code"]) == (504, "deadline_exceeded")

    def test_bytes_that_are_not_a_request(self, gateway: Gateway) -> None:
        """Bytes that are not an HTTP request receive problem details, too."""
        assert problem(gateway.refuse(HttpSyntaxError("No.")))["detail"] == "No."
        assert gateway.refuse(HttpSyntaxError("No.", too_large=True)).status == 413
