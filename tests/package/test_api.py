"""The API of the packaged template: gateway responses, limits, access log, alarms and token issuer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import app
from chalicelib.configuration import decode
from infra.local.gateway import Gateway
from infra.packaging.bundle import ROOT
from infra.packaging.gateway_responses import ANY_METHOD, BY_TYPE
from tests.package.packaged_template import FUNCTIONS, function, logical, of_type
from tests.support.configuration import configuration_file

Json = dict[str, Any]

REQUEST_ID = "$context.requestId"


@pytest.fixture(scope="module")
def api(packaged: Json) -> Json:
    """Return the properties of the API."""
    properties: Json = packaged["Resources"]["RestAPI"]["Properties"]
    return properties


def responses(api: Json) -> dict[str, Json]:
    """Return the gateway responses by type."""
    by_type: dict[str, Json] = api["DefinitionBody"]["x-amazon-apigateway-gateway-responses"]
    return by_type


def local_problem(method: str, path: str) -> tuple[int, Json, dict[str, str]]:
    """Return status, body without its request id, and headers of an error of the local gateway."""
    reply = Gateway(app.app).answer(method, path, [], b"")
    return reply.status, json.loads(reply.body) | {"instance": None}, dict(reply.headers)


class TestGatewayResponses:
    """The errors that API Gateway returns without invoking a function."""

    @pytest.mark.parametrize("kind", list(BY_TYPE))
    def test_are_problem_details(self, api: Json, kind: str) -> None:
        """They are problem details like every other error, with the same status in the body, and the request id.

        API Gateway replaces variables in a template, so the text must not contain $ or #.
        """
        response = responses(api)[kind]
        (template,) = response["responseTemplates"].values()
        problem, text = json.loads(template), template.replace(REQUEST_ID, "")

        assert problem["status"] == response["statusCode"]
        assert problem["instance"] == f"urn:researcher:request:{REQUEST_ID}"
        assert response["responseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        assert response["responseParameters"]["gatewayresponse.header.X-Request-Id"] == "context.requestId"
        assert text.isprintable()
        assert not {"$", "#"} & set(text)

    def test_say_what_to_do(self, api: Json) -> None:
        """The 404 has the message of the local gateway, not that of API Gateway about a missing authentication token.

        A throttled request has Retry-After.
        """
        response = responses(api)["MISSING_AUTHENTICATION_TOKEN"]
        problem = json.loads(response["responseTemplates"]["application/json"]) | {"instance": None}

        assert (response["statusCode"], problem) == local_problem("GET", "/nowhere")[:2]
        throttled = responses(api)["THROTTLED"]
        assert throttled["statusCode"] == 429
        assert throttled["responseParameters"]["gatewayresponse.header.Retry-After"] == "'1'"


class TestOtherMethods:
    """Methods that a path does not support."""

    @pytest.mark.parametrize(
        "path", ["/researcher/api/v1/jobs", "/researcher/api/v1/jobs/{project}/{name}", "/researcher/api/docs"]
    )
    def test_are_rejected_like_in_the_local_gateway(self, api: Json, path: str) -> None:
        """The response is 405 with the allowed methods, without invoking a function."""
        integration = api["DefinitionBody"]["paths"][path][ANY_METHOD]["x-amazon-apigateway-integration"]
        response = integration["responses"]["default"]
        body = response["responseTemplates"]["application/json"].replace("$context.httpMethod", "PATCH")

        status, problem, headers = local_problem("PATCH", path.format(project="team-a", name="train-1"))

        assert integration["type"] == "mock"
        assert (int(response["statusCode"]), json.loads(body) | {"instance": None}) == (status, problem)
        assert response["responseParameters"]["method.response.header.Allow"] == f"'{headers['Allow']}'"

    def test_are_rejected_on_every_path(self, api: Json) -> None:
        """Every header of the response is declared, because API Gateway would reject the document otherwise."""
        for operations in api["DefinitionBody"]["paths"].values():
            operation = operations[ANY_METHOD]
            headers_sent = operation["x-amazon-apigateway-integration"]["responses"]["default"]["responseParameters"]
            declared = operation["responses"]["405"]["headers"]
            assert {name.rpartition(".")[2] for name in headers_sent} == set(declared)


class TestCors:
    """An API that web pages of one other origin may use."""

    def test_is_enabled_by_cors_origin(self) -> None:
        """With CORS_ORIGIN, preflight requests are answered, and pages of that origin may read gateway responses."""
        code = "import json; from infra.packaging.template import template; print(json.dumps(template('dev')))"
        environment = os.environ | {"CORS_ORIGIN": "https://page.example"}
        body = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, cwd=ROOT)
        packaged = json.loads(body.stdout)
        document = packaged["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
        operation = document["x-amazon-apigateway-gateway-responses"]["THROTTLED"]["responseParameters"]

        assert "options" in document["paths"]["/researcher/api/v1/jobs"]
        assert operation["gatewayresponse.header.Access-Control-Allow-Origin"] == "'https://page.example'"
        assert function(packaged, "submit_job")["Environment"]["Variables"]["CORS_ORIGIN"] == "https://page.example"

    def test_is_disabled_by_default(self, packaged: Json, api: Json) -> None:
        """Without CORS_ORIGIN, the template has no CORS headers."""
        assert "Access-Control" not in json.dumps(api)
        assert "CORS_ORIGIN" not in json.dumps(packaged)


class TestStage:
    """The stage of the API."""

    def test_logs_each_access_as_json(self, api: Json, packaged: Json) -> None:
        """The access log has neither the path, which contains Project and Job names, nor headers."""
        log = api["AccessLogSetting"]["Fn::If"][1]
        line = json.loads(log["Format"])

        assert log["DestinationArn"] == {"Fn::GetAtt": ["AccessLogGroup", "Arn"]}
        assert line["requestId"] == REQUEST_ID
        assert "$context.path" not in line.values()
        assert packaged["Resources"]["AccessLogGroup"]["Properties"]["RetentionInDays"] > 0


class TestAlarms:
    """The CloudWatch alarms."""

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_watch_each_function(self, packaged: Json, name: str) -> None:
        """Each function has an alarm for errors, and one for slow invocations, except get_job, which may wait."""
        alarms = of_type(packaged, "AWS::CloudWatch::Alarm")
        errors, slow = (alarms.get(f"{logical(name)}{kind}Alarm") for kind in ("Error", "Slow"))

        assert (slow is None) == (name == "get_job")
        assert errors is not None
        assert (errors["MetricName"], errors["Statistic"], errors["Threshold"]) == ("Errors", "Sum", 0)
        for alarm in filter(None, (errors, slow)):
            assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": logical(name)}}]
        if slow:
            assert (slow["MetricName"], slow["ExtendedStatistic"]) == ("Duration", "p99")
            assert 0 < slow["Threshold"] < function(packaged, name)["Timeout"] * 1000

    def test_watch_the_api_of_this_stack(self, packaged: Json, api: Json) -> None:
        """The alarm uses the name of this stack's API, so two stacks in one account do not affect each other."""
        alarm = packaged["Resources"]["RestAPIFailureAlarm"]["Properties"]
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}

        assert dimensions == {"ApiName": api["DefinitionBody"]["info"]["title"], "Stage": api["StageName"]}
        assert dimensions["ApiName"] == {"Ref": "AWS::StackName"}

    def test_notify_the_topic(self, packaged: Json) -> None:
        """All alarms notify the topic, if there is one."""
        for alarm in of_type(packaged, "AWS::CloudWatch::Alarm").values():
            assert alarm["AlarmActions"]["Fn::If"][:2] == ["AlarmTopicGiven", [{"Ref": "AlarmTopicArn"}]]
            assert alarm["TreatMissingData"] == "notBreaching"


class TestDashboard:
    """The dashboard for platform engineers."""

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_has_each_function(self, packaged: Json, name: str) -> None:
        """Each function has its Lambda metrics and its own metrics, in rows of two widgets."""
        body = packaged["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
        widgets: list[Json] = json.loads(body)["widgets"]
        places = [(widget["x"], widget["y"]) for widget in widgets]
        series = [tuple(each[:4]) for widget in widgets for each in widget["properties"]["metrics"]]

        assert ("AWS/Lambda", "Duration", "FunctionName", f"${{{logical(name)}}}") in series
        assert ("ResearcherAPI", "Failures", "function", name) in series
        assert places == [(place % 2 * 12, place // 2 * 6) for place in range(len(widgets))]


class TestIssuer:
    """The token issuer of the stack, if no external one is configured."""

    def test_scope_of_the_sample_application_exists(self, packaged: Json) -> None:
        """The scope exists: an unknown one fails only at deployment, and cfn-lint does not check it."""
        server = packaged["Resources"]["Groups"]["Properties"]
        known = [f"{server['Identifier']}/${{{scope['ScopeName']['Ref']}}}" for scope in server["Scopes"]]
        application = packaged["Resources"]["SampleApplication"]
        trusted = decode(Path(configuration_file()).read_bytes()).user_pool("https://user.pool")

        assert [scope["Fn::Sub"] for scope in application["Properties"]["AllowedOAuthScopes"]] == known
        assert application["DependsOn"] == "Groups"
        assert (trusted.scope_prefix, trusted.audiences[0]) == (f"{server['Identifier']}/", server["Identifier"])
        assert (trusted.audience_claim, trusted.groups_claims) == ("scope", ("scope", "cognito:groups"))

    def test_client_of_people(self, packaged: Json) -> None:
        """It is what GET /sign-in returns, it has no secret, and none of its scopes is a group."""
        server = packaged["Resources"]["People"]["Properties"]
        client = packaged["Resources"]["SignInClient"]
        trusted = decode(Path(configuration_file()).read_bytes()).user_pool("https://user.pool", "client")
        published = trusted.sign_in
        assert published is not None

        properties = client["Properties"]
        assert (properties["GenerateSecret"], properties["AllowedOAuthFlows"]) == (False, ["code"])
        assert tuple(properties["AllowedOAuthScopes"]) == published.scopes
        assert tuple(properties["CallbackURLs"]) == published.redirect_uris
        assert [f"{server['Identifier']}/{scope['ScopeName']}" for scope in server["Scopes"]] == [published.scopes[1]]
        assert server["Identifier"] in trusted.audiences
        assert not [scope for scope in published.scopes if scope.startswith(trusted.scope_prefix)]
        assert client["DependsOn"] == "People"
        variables = packaged["Globals"]["Function"]["Environment"]["Variables"]
        assert variables["USER_POOL_CLIENT_ID"] == {"Fn::If": ["OwnIssuer", {"Ref": "SignInClient"}, ""]}
