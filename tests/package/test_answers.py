"""Each function of the zip answers its own route, alone in a process, with no more than the template tells it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import fields

import app
from chalicelib.settings import Settings
from infra.local.lambda_proxy import ProxyRequest
from tests.package.bare import printed_by
from tests.package.reading import ENDPOINTS, NAMES, Json, environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FOR_ANYBODY = {"docs", "docs_asset", "health", "openapi"}
SET_BY_LAMBDA = {"AWS_REGION": "eu-west-1", "AWS_LAMBDA_FUNCTION_NAME": "researcher-ListJobs-1"}

ANSWER = (
    "import json, types, app\n"
    "context = types.SimpleNamespace(aws_request_id='invocation', function_name='function')\n"
    "print(json.dumps(app.app(json.loads({event!r}), context)))"
)


def answered(unzipped: Path, name: str, told: Mapping[str, str], target: str = "") -> Json:
    """What the function answers to a request without a token."""
    method, path = ENDPOINTS[name]
    variables = {"project": "team-a", "name": "train-1", "asset": _asset(unzipped)}
    wanted = {key: value for key, value in variables.items() if f"{{{key}}}" in path}
    request = ProxyRequest("r-1", "v1", path, wanted, method, path.format(**wanted) + target, [], b"", 0.0)
    event = json.dumps(request.event(app.app.api.binary_types))
    answer: Json = json.loads(printed_by(unzipped, ANSWER.format(event=event), **told).splitlines()[-1])
    return answer


def _asset(unzipped: Path) -> str:
    return next((unzipped / "chalicelib" / "assets").glob("*.css")).name


@pytest.fixture
def told(packaged: dict[str, Any]) -> dict[str, str]:
    """The variables of a function of a stack with a token issuer of its own choice."""
    parameters = {field.name.upper(): f"the-{field.name}" for field in fields(Settings) if field.required}
    return {name: parameters[name] for name in environment(packaged, "docs") if name in parameters} | SET_BY_LAMBDA


class TestFunctions:
    """The functions as they are deployed."""

    @pytest.mark.parametrize(("name", "query"), [*((name, "") for name in NAMES), ("health", "?deep=true")])
    def test_answer_their_own_route(self, unzipped: Path, told: dict[str, str], name: str, query: str) -> None:
        """Those for anybody answer; all others ask for a token, in problem details. Deep health is for no stranger."""
        answer = answered(unzipped, name, told | {"ENDPOINT": name}, query)

        assert answer["statusCode"] == (200 if name in FOR_ANYBODY and not query else 401)
        if answer["statusCode"] == 401:
            assert json.loads(answer["body"])["code"] == "unauthenticated"

    @pytest.mark.parametrize(("name", "other"), [("list_jobs", "health"), ("docs", "list_projects")])
    def test_answer_no_other_route(self, unzipped: Path, told: dict[str, str], name: str, other: str) -> None:
        """A request that was led to the wrong function is told that there is nothing, in problem details."""
        answer = answered(unzipped, other, told | {"ENDPOINT": name})

        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "route_not_found")
        assert answer["headers"]["Content-Type"] == "application/problem+json"
