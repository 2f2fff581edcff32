"""The API of the packaged template: what API Gateway answers itself, its limits, its log, its alarms and its issuer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

import app
from infra.local.gateway import Gateway
from infra.packaging.bundle import ROOT
from infra.packaging.gateway_responses import ANY_METHOD, BY_TYPE
from tests.package.reading import FUNCTIONS, function, logical, of_type

Json = dict[str, Any]

REQUEST_ID = "$context.requestId"


@pytest.fixture(scope="module")
def api(packaged: Json) -> Json:
    """The properties of the API."""
    properties: Json = packaged["Resources"]["RestAPI"]["Properties"]
    return properties


def responses(api: Json) -> dict[str, Json]:
    """The gateway responses by type."""
    found: dict[str, Json] = api["DefinitionBody"]["x-amazon-apigateway-gateway-responses"]
    return found


def local_problem(method: str, path: str) -> tuple[int, Json, dict[str, str]]:
    """Status, body without its request id, and headers of what the local gateway refuses."""
    reply = Gateway(app.app).answer(method, path, [], b"")
    return reply.status, json.loads(reply.body) | {"instance": None}, dict(reply.headers)


class TestGatewayResponses:
    """What is answered before any function is asked."""

    @pytest.mark.parametrize("kind", list(BY_TYPE))
    def test_are_problem_details(self, api: Json, kind: str) -> None:
        """In the shape of every other error, with the status that the body tells, and the request's id.

        Templates replace variables: a stray mark in our words would be one.
        """
        response = responses(api)[kind]
        (template,) = response["responseTemplates"].values()
        problem, words = json.loads(template), template.replace(REQUEST_ID, "")

        assert problem["status"] == response["statusCode"]
        assert problem["instance"] == f"urn:researcher:request:{REQUEST_ID}"
        assert response["responseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        assert response["responseParameters"]["gatewayresponse.header.X-Request-Id"] == "context.requestId"
        assert words.isprintable()
        assert not {"$", "#"} & set(words)

    def test_tell_what_to_do(self, api: Json) -> None:
        """404 in the words of the local gateway, where API Gateway would speak of a missing authentication token.

        Who is throttled hears for how long.
        """
        response = responses(api)["MISSING_AUTHENTICATION_TOKEN"]
        problem = json.loads(response["responseTemplates"]["application/json"]) | {"instance": None}

        assert (response["statusCode"], problem) == local_problem("GET", "/nowhere")[:2]
        throttled = responses(api)["THROTTLED"]
        assert throttled["statusCode"] == 429
        assert throttled["responseParameters"]["gatewayresponse.header.Retry-After"] == "'1'"


class TestOtherMethods:
    """Methods that a path does not answer."""

    @pytest.mark.parametrize(
        "path", ["/researcher/api/v1/jobs", "/researcher/api/v1/jobs/{project}/{name}", "/researcher/api/docs"]
    )
    def test_are_refused_as_the_local_gateway_refuses(self, api: Json, path: str) -> None:
        """405 with the methods that there are, without waking a function."""
        integration = api["DefinitionBody"]["paths"][path][ANY_METHOD]["x-amazon-apigateway-integration"]
        answer = integration["responses"]["default"]
        told = answer["responseTemplates"]["application/json"].replace("$context.httpMethod", "PATCH")

        status, problem, headers = local_problem("PATCH", path.format(project="team-a", name="train-1"))

        assert integration["type"] == "mock"
        assert (int(answer["statusCode"]), json.loads(told) | {"instance": None}) == (status, problem)
        assert answer["responseParameters"]["method.response.header.Allow"] == f"'{headers['Allow']}'"

    def test_are_refused_on_every_path(self, api: Json) -> None:
        """Each header that the answer sets is declared, or API Gateway would refuse the document."""
        for operations in api["DefinitionBody"]["paths"].values():
            refusal = operations[ANY_METHOD]
            sent = refusal["x-amazon-apigateway-integration"]["responses"]["default"]["responseParameters"]
            declared = refusal["responses"]["405"]["headers"]
            assert {name.rpartition(".")[2] for name in sent} == set(declared)


class TestCors:
    """An API that web pages of one other origin may call."""

    def test_is_packaged_for_the_origin_it_is_told(self) -> None:
        """CORS_ORIGIN at packaging: preflights answer, and so may errors be read that no function made."""
        code = "import json; from infra.packaging.template import template; print(json.dumps(template('dev')))"
        environment = os.environ | {"CORS_ORIGIN": "https://page.example"}
        told = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, cwd=ROOT)
        packaged = json.loads(told.stdout)
        document = packaged["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
        refusal = document["x-amazon-apigateway-gateway-responses"]["THROTTLED"]["responseParameters"]

        assert "options" in document["paths"]["/researcher/api/v1/jobs"]
        assert refusal["gatewayresponse.header.Access-Control-Allow-Origin"] == "'https://page.example'"
        assert function(packaged, "submit_job")["Environment"]["Variables"]["CORS_ORIGIN"] == "https://page.example"

    def test_is_off_otherwise(self, packaged: Json, api: Json) -> None:
        """Nothing speaks of origins."""
        assert "Access-Control" not in json.dumps(api)
        assert "CORS_ORIGIN" not in json.dumps(packaged)


class TestStage:
    """How the API is served."""

    def test_logs_each_access_as_json(self, api: Json, packaged: Json) -> None:
        """Without the path, which has names of Projects and Jobs, and without any header."""
        log = api["AccessLogSetting"]["Fn::If"][1]
        line = json.loads(log["Format"])

        assert log["DestinationArn"] == {"Fn::GetAtt": ["AccessLogGroup", "Arn"]}
        assert line["requestId"] == REQUEST_ID
        assert "$context.path" not in line.values()
        assert packaged["Resources"]["AccessLogGroup"]["Properties"]["RetentionInDays"] > 0


class TestAlarms:
    """What somebody is told."""

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_watch_each_function(self, packaged: Json, name: str) -> None:
        """A crash or a time-out; and one to come, but of get_job, which a caller may ask to wait."""
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
        """By the name that the API has: two stacks of one account do not raise each other's alarm."""
        alarm = packaged["Resources"]["RestAPIFailureAlarm"]["Properties"]
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}

        assert dimensions == {"ApiName": api["DefinitionBody"]["info"]["title"], "Stage": api["StageName"]}
        assert dimensions["ApiName"] == {"Ref": "AWS::StackName"}

    def test_go_to_the_topic(self, packaged: Json) -> None:
        """All of them, where there is one."""
        for alarm in of_type(packaged, "AWS::CloudWatch::Alarm").values():
            assert alarm["AlarmActions"]["Fn::If"][:2] == ["AlarmTopicGiven", [{"Ref": "AlarmTopicArn"}]]
            assert alarm["TreatMissingData"] == "notBreaching"


class TestDashboard:
    """What a platform engineer looks at."""

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_shows_each_function(self, packaged: Json, name: str) -> None:
        """By its name in this stack, and by the name of our own metrics, in rows of two widgets beside each other."""
        body = packaged["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
        widgets: list[Json] = json.loads(body)["widgets"]
        places = [(widget["x"], widget["y"]) for widget in widgets]
        series = [tuple(one[:4]) for widget in widgets for one in widget["properties"]["metrics"]]

        assert ("AWS/Lambda", "Duration", "FunctionName", f"${{{logical(name)}}}") in series
        assert ("ResearcherAPI", "Failures", "function", name) in series
        assert places == [(place % 2 * 12, place // 2 * 6) for place in range(len(widgets))]


class TestIssuer:
    """The stack's own token issuer, where none is given."""

    def test_gives_the_sample_application_a_scope_that_exists(self, packaged: Json) -> None:
        """An unknown scope fails only when the stack is made; cfn-lint does not look."""
        server = packaged["Resources"]["Groups"]["Properties"]
        known = [f"{server['Identifier']}/${{{scope['ScopeName']['Ref']}}}" for scope in server["Scopes"]]
        application = packaged["Resources"]["SampleApplication"]
        variables = packaged["Globals"]["Function"]["Environment"]["Variables"]

        assert [scope["Fn::Sub"] for scope in application["Properties"]["AllowedOAuthScopes"]] == known
        assert application["DependsOn"] == "Groups"
        assert variables["TOKEN_SCOPE_PREFIX"]["Fn::If"][1] == f"{server['Identifier']}/"
