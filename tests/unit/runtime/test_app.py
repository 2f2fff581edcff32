"""What the app answers where no view does."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.runtime.app import ProblemDetailsChalice


@pytest.fixture
def api() -> ProblemDetailsChalice:
    """An app of one view."""
    api = ProblemDetailsChalice("sample", configure_logs=False)
    api.route("/here", name="here")(lambda: {"here": True})
    return api


def event(path: str | None, method: str | None) -> dict[str, Any]:
    """An event of API Gateway."""
    request = {"resourcePath": path, "httpMethod": method, "requestId": "r-1", "path": path, "stage": "v1"}
    nothing: dict[str, Any] = dict.fromkeys(
        ("multiValueQueryStringParameters", "pathParameters", "stageVariables", "body"), None
    )
    return {"requestContext": request, "headers": {}, "multiValueHeaders": {}, "isBase64Encoded": False, **nothing}


def test_own_route_is_answered(api: ProblemDetailsChalice) -> None:
    """As Chalice does."""
    answer = api(event("/here", "GET"), SimpleNamespace())

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"here": True})


@pytest.mark.parametrize(
    "wrong",
    [event("/there", "GET"), event("/here", "DELETE"), event(None, None), {"requestContext": None}, {}],
    ids=["another path", "another method", "no path", "no context", "nothing"],
)
def test_other_routes_are_not_found(api: ProblemDetailsChalice, wrong: dict[str, Any]) -> None:
    """404 in problem details, where Chalice would raise or answer in its own words."""
    answer = api(wrong, SimpleNamespace())

    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "route_not_found")
    assert answer["headers"]["Content-Type"] == "application/problem+json"
