"""The routes of the packaged functions: each runs alone in a process, with the variables of the template only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import fields

import app
from chalicelib.settings import Settings
from infra.local.lambda_proxy import ProxyRequest
from tests.package.bundle_process import run_in_bundle
from tests.package.packaged_template import ENDPOINTS, NAMES, Json, environment
from tests.support.configuration import configuration_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PUBLIC = {"docs", "docs_asset", "health", "openapi", "sign_in"}
SET_BY_LAMBDA = {"AWS_REGION": "eu-west-1", "AWS_LAMBDA_FUNCTION_NAME": "researcher-ListJobs-1"}

INVOKE = (
    "import json, types, app\n"
    "context = types.SimpleNamespace(aws_request_id='invocation', function_name='function')\n"
    "print(json.dumps(app.app(json.loads({event!r}), context)))"
)


def invoke(unzipped: Path, name: str, variables: Mapping[str, str], target: str = "") -> Json:
    """Invoke the function with a request without a token, and return its response."""
    method, path = ENDPOINTS[name]
    values = {"project": "team-a", "name": "train-1", "asset": _asset(unzipped)}
    path_parameters = {key: value for key, value in values.items() if f"{{{key}}}" in path}
    request = ProxyRequest(
        "r-1", "v1", path, path_parameters, method, path.format(**path_parameters) + target, [], b"", 0.0
    )
    event = json.dumps(request.event(app.app.api.binary_types))
    response: Json = json.loads(run_in_bundle(unzipped, INVOKE.format(event=event), **variables).splitlines()[-1])
    return response


def _asset(unzipped: Path) -> str:
    return next((unzipped / "chalicelib" / "assets").glob("*.css")).name


@pytest.fixture
def variables(packaged: dict[str, Any]) -> dict[str, str]:
    """Return the environment variables of a function of a stack with an external token issuer."""
    parameters = {field.name.upper(): f"the-{field.name}" for field in fields(Settings) if field.required}
    file = configuration_file(tokenIssuers=[{"issuer": "https://issuer.example.com", "audiences": ["researcher"]}])
    configured = {name: parameters[name] for name in environment(packaged, "docs") if name in parameters}
    return configured | SET_BY_LAMBDA | {"CONFIGURATION_FILE": file}


class TestFunctions:
    """The functions as they are deployed."""

    @pytest.mark.parametrize(("name", "query"), [*((name, "") for name in NAMES), ("health", "?deep=true")])
    def test_handle_their_own_route(self, unzipped: Path, variables: dict[str, str], name: str, query: str) -> None:
        """Public routes are 200 without a token; all others, and the deep health check, are 401."""
        response = invoke(unzipped, name, variables | {"ENDPOINT": name}, query)

        assert response["statusCode"] == (200 if name in PUBLIC and not query else 401)
        if response["statusCode"] == 401:
            assert json.loads(response["body"])["code"] == "unauthenticated"

    @pytest.mark.parametrize(("name", "other"), [("list_jobs", "health"), ("docs", "list_projects")])
    def test_handle_no_other_route(self, unzipped: Path, variables: dict[str, str], name: str, other: str) -> None:
        """A request for another function's route is 404, as problem details."""
        response = invoke(unzipped, other, variables | {"ENDPOINT": name})

        assert (response["statusCode"], json.loads(response["body"])["code"]) == (404, "route_not_found")
        assert response["headers"]["Content-Type"] == "application/problem+json"
