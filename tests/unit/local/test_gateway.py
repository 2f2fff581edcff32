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

TOGETHER = 64
views = Blueprint("views")
meeting = threading.Barrier(TOGETHER)
release = threading.Event()


@views.route("/jobs", name="list_jobs")
def list_jobs() -> dict[str, Any]:
    """Tells what the view was given."""
    request, context = views.current_request, views.lambda_context
    return {
        "function": context.function_name,
        "path": request.context["path"],
        "query": request.query_params and {name: request.query_params.getlist(name) for name in request.query_params},
        "remaining": context.get_remaining_time_in_millis(),
    }


@views.route("/jobs", methods=["POST"], cors=CORSConfig(allow_origin="https://a", max_age=60), name="submit_job")
def submit_job() -> Response:
    """Answers with the body."""
    body = views.current_request.raw_body
    return Response(
        body if isinstance(body, str) else body.decode(), {"Content-Type": "text/plain", "X-Request-Id": "own"}, 201
    )


@views.route("/image", name="image")
def image() -> Response:
    """A binary answer."""
    return Response(b"\xff", {"Content-Type": "image/png"})


@views.route("/nonsense", name="nonsense")
def nonsense() -> Response:
    """Answers what a Lambda cannot."""
    return Response("x", status_code="many")  # type: ignore[arg-type]  # that is the nonsense


@views.route("/broken", name="broken")
def broken() -> str:
    """Fails outside of Chalice's error handling."""
    raise SystemExit(1)


@views.route("/slow", name="slow")
def slow() -> str:
    """Takes as long as it may."""
    release.wait(30)
    return "late"


@views.route("/meet/{number}", name="meet")
def meet(number: str) -> dict[str, Any]:
    """Waits until all requests are inside of a view, and only then reads which one it is."""
    meeting.wait(30)
    request, context = views.current_request, views.lambda_context
    seen = [number, request.headers["x-number"], dict(request.query_params or ())["number"]]
    meeting.wait(30)
    again, path = views.current_request.headers["x-number"], views.current_request.context["path"]
    return {"seen": [*seen, again, path], "request": context.aws_request_id}


application = Chalice("test", configure_logs=False)
application.register_blueprint(views)


@pytest.fixture
def gateway() -> Gateway:
    """A gateway without a socket."""
    return Gateway(application)


def problem(reply: HttpResponse) -> dict[str, Any]:
    """The problem details of *reply*, checked for what all of them have."""
    details: dict[str, Any] = json.loads(reply.body)
    assert reply.header("content-type") == "application/problem+json"
    assert set(details) == {"type", "title", "status", "detail", "instance", "code"}
    assert details["status"] == reply.status
    assert details["instance"].endswith(reply.header("x-request-id") or "missing")
    return details


class TestAnswer:
    """Requests that reach a view."""

    def test_view_is_called(self, gateway: Gateway) -> None:
        """The view sees its request and its context."""
        reply = gateway.answer("GET", "/jobs?a=1&a=2", [], b"")

        seen = json.loads(reply.body)
        remaining = seen.pop("remaining")
        assert seen == {"function": "list_jobs", "path": "/jobs", "query": {"a": ["1", "2"]}}
        assert 0 < remaining <= 29_000
        assert reply.header("content-type") == "application/json"
        assert reply.header("x-amzn-requestid")

    def test_answer_of_the_view_goes_out(self, gateway: Gateway) -> None:
        """Status, headers and body are the view's; a binary type has to be the first that the client accepts."""
        reply = gateway.answer("POST", "/jobs", [("Content-Type", "application/json")], "ü".encode())

        assert (reply.status, reply.body, reply.header("x-request-id")) == (201, "ü".encode(), "own")
        assert reply.header("access-control-allow-origin") == "https://a"
        assert gateway.answer("GET", "/image", [("Accept", "image/png")], b"").body == b"\xff"
        for accept in ("*/*", "image/avif, image/png"):
            assert gateway.answer("GET", "/image", [("Accept", accept)], b"").body == b"/w=="

    def test_concurrent_requests_do_not_mix(self, gateway: Gateway) -> None:
        """64 requests inside of one view at once: each reads its own request and its own context."""

        def ask(number: str) -> Any:  # noqa: ANN401 - JSON
            target = f"/meet/{number}?number={number}"
            return json.loads(gateway.answer("GET", target, [("X-Number", number)], b"").body)

        numbers = [str(number) for number in range(TOGETHER)]
        with ThreadPoolExecutor(TOGETHER) as threads:
            answers = list(threads.map(ask, numbers))

        assert len({answer["request"] for answer in answers}) == TOGETHER
        assert [answer["seen"] for answer in answers] == [[one] * 4 + [f"/meet/{one}"] for one in numbers]


class TestRefusals:
    """Requests that no view answers."""

    @pytest.mark.parametrize(
        ("method", "target", "authorization", "body", "status", "code"),
        [
            pytest.param("GET", "/nothing", "", b"", 404, "route_not_found", id="unknown path"),
            pytest.param("POST", "/jobs", "", b"a" * (MAX_BODY + 1), 413, "body_too_large", id="large body"),
            pytest.param("GET", "/jobs", "a" * MAX_HEADER_BYTES, b"", 400, "malformed_request", id="long headers"),
            pytest.param("GET", "/nonsense", "", b"", 502, "bad_gateway", id="nonsense of the function"),
        ],
    )
    def test_problem_has_a_code_of_the_catalogue(  # noqa: PLR0913, PLR0917 - a request and its answer
        self, gateway: Gateway, method: str, target: str, authorization: str, body: bytes, status: int, code: str
    ) -> None:
        """API Gateway's limits hold here too, and not a word goes out of what a function said wrongly."""
        reply = gateway.answer(method, target, [("Authorization", authorization)], body)

        assert (reply.status, problem(reply)["code"]) == (status, code)
        assert b"many" not in reply.body

    @pytest.mark.parametrize("method", ["PUT", "HEAD", "TRACE", "BREW", "get"])
    def test_other_methods_are_not_allowed(self, gateway: Gateway, method: str) -> None:
        """405 names what the path answers."""
        reply = gateway.answer(method, "/jobs", [], b"")

        assert problem(reply)["code"] == "method_not_allowed"
        assert reply.header("allow") == "GET, OPTIONS, POST"

    def test_preflight_is_answered_where_cors_is_configured(self, gateway: Gateway) -> None:
        """With what the route's configuration allows; without one OPTIONS is a method like any other."""
        reply = gateway.answer("OPTIONS", "/jobs", [("Origin", "https://a")], b"")

        assert (reply.status, reply.body) == (200, b"")
        assert reply.header("access-control-allow-origin") == "https://a"
        assert reply.header("access-control-allow-methods") == "GET,OPTIONS,POST"
        assert reply.header("access-control-max-age") == "60"
        assert "Authorization" in (reply.header("access-control-allow-headers") or "")
        assert gateway.answer("OPTIONS", "/image", [], b"").status == 405

    def test_function_that_raises_is_a_bad_gateway(self, gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
        """502 for the client; the log has the cause."""
        reply = gateway.answer("GET", "/broken", [], b"")

        assert problem(reply)["code"] == "bad_gateway"
        assert "SystemExit" in caplog.text
        assert "function=broken" in caplog.text

    def test_slow_function_times_out(self) -> None:
        """504 after the integration's time-out, whatever the function goes on to do."""
        release.clear()

        reply = Gateway(application, integration_seconds=0.01).answer("GET", "/slow", [], b"")

        release.set()
        assert (reply.status, problem(reply)["code"]) == (504, "deadline_exceeded")

    def test_bytes_that_are_no_request_are_refused(self, gateway: Gateway) -> None:
        """In the same shape as everything else."""
        assert problem(gateway.refuse(HttpSyntaxError("No.")))["detail"] == "No."
        assert gateway.refuse(HttpSyntaxError("No.", too_large=True)).status == 413
