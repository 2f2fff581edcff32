"""Requests that match no route."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.runtime.app import ProblemDetailsChalice


@pytest.fixture
def api() -> ProblemDetailsChalice:
    """Return an app with one route."""
    api = ProblemDetailsChalice("sample", configure_logs=False)
    api.route("/here", name="here")(lambda: {"here": True})
    return api


def event(path: str | None, method: str | None) -> dict[str, Any]:
    """Return an event of API Gateway."""
    request = {"resourcePath": path, "httpMethod": method, "requestId": "r-1", "path": path, "stage": "v1"}
    nothing: dict[str, Any] = dict.fromkeys(
        ("multiValueQueryStringParameters", "pathParameters", "stageVariables", "body"), None
    )
    return {"requestContext": request, "headers": {}, "multiValueHeaders": {}, "isBase64Encoded": False, **nothing}


def test_route(api: ProblemDetailsChalice) -> None:
    """Chalice responds."""
    response = api(event("/here", "GET"), SimpleNamespace())

    assert (response["statusCode"], json.loads(response["body"])) == (200, {"here": True})


@pytest.mark.parametrize(
    "unmatched",
    [event("/there", "GET"), event("/here", "DELETE"), event(None, None), {"requestContext": None}, {}],
    ids=["another path", "another method", "no path", "no context", "empty"],
)
def test_no_route(api: ProblemDetailsChalice, unmatched: dict[str, Any]) -> None:
    """The response is 404 with problem details."""
    response = api(unmatched, SimpleNamespace())

    assert (response["statusCode"], json.loads(response["body"])["code"]) == (404, "route_not_found")
    assert response["headers"]["Content-Type"] == "application/problem+json"
