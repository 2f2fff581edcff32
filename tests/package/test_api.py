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
from infra.commands.application import RESOURCE_SERVER
from infra.local.gateway import Gateway
from infra.packaging.alarms import LONG_POLLING
from infra.packaging.bundle import ROOT
from infra.packaging.gateway_responses import ANY_METHOD, BY_TYPE
from tests.deployed.cloudformation import Stack
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

        assert str(problem["status"]) == response["statusCode"]
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

        assert (int(response["statusCode"]), problem) == local_problem("GET", "/nowhere")[:2]
        throttled = responses(api)["THROTTLED"]
        assert throttled["statusCode"] == "429"
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


class TestConcurrency:
    """The concurrency of functions that wait."""

    @pytest.mark.parametrize(("value", "reserved"), [("", None), ("100", "100")])
    @pytest.mark.parametrize("name", sorted(LONG_POLLING))
    def test_can_be_reserved(self, packaged: Json, name: str, value: str, reserved: str | None) -> None:
        """It has a limit of its own if the parameter is set; by default no function has, as in a new account."""
        found = {
            each: properties.get("ReservedConcurrentExecutions")
            for each, properties in Stack(packaged, {f"{name}Concurrency": value})
            .of_type("AWS::Serverless::Function")
            .items()
        }

        assert found == dict.fromkeys(map(logical, FUNCTIONS)) | {name: reserved}

    def test_throttled_function_is_503(self, api: Json) -> None:
        """A function that Lambda does not invoke is 503 with Retry-After; one that fails remains 502."""
        throttled = responses(api)["INTEGRATION_FAILURE"]

        assert (throttled["statusCode"], responses(api)["DEFAULT_5XX"]["statusCode"]) == ("503", "502")
        assert int(throttled["responseParameters"]["gatewayresponse.header.Retry-After"].strip("'")) > 0
        assert json.loads(throttled["responseTemplates"]["application/json"])["code"] == "overloaded"

    def test_status_codes_are_strings(self, api: Json) -> None:
        """As in AWS's documentation of the extension."""
        assert {type(each["statusCode"]) for each in responses(api).values()} == {str}


class TestOutputs:
    """The outputs of the stack."""

    def test_web_acl_and_domain_can_be_attached(self, packaged: Json) -> None:
        """The IDs that a web ACL and a domain name need are outputs."""
        stack = Stack(packaged, {})
        outputs = {name: stack.resolve(packaged["Outputs"][name]["Value"]) for name in ("RestApiId", "StageArn")}

        assert outputs["StageArn"] == f"arn:aws:apigateway:eu-west-1::/restapis/{outputs['RestApiId']}/stages/v1"


class TestAlarms:
    """The CloudWatch alarms."""

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_watch_each_function(self, packaged: Json, name: str) -> None:
        """Each function has an alarm for errors, and one for slow invocations, unless it may wait."""
        alarms = of_type(packaged, "AWS::CloudWatch::Alarm")
        errors, slow = (alarms.get(f"{logical(name)}{kind}Alarm") for kind in ("Error", "Slow"))

        assert (slow is None) == (name in {"get_job", "list_jobs"})
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
        """All alarms notify the topic, if there is one, also when their cause has gone."""
        for name, alarm in of_type(packaged, "AWS::CloudWatch::Alarm").items():
            assert alarm["AlarmActions"]["Fn::If"][:2] == ["AlarmTopicGiven", [{"Ref": "AlarmTopicArn"}]]
            assert alarm["OKActions"] == alarm["AlarmActions"]
            assert alarm["TreatMissingData"] == ("breaching" if name.endswith("SilentAlarm") else "notBreaching")

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_watch_throttling(self, packaged: Json, name: str) -> None:
        """Each function has an alarm for invocations that its concurrency, or the account's, did not allow."""
        alarm = of_type(packaged, "AWS::CloudWatch::Alarm")[f"{logical(name)}ThrottleAlarm"]

        assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("Throttles", "Sum", 0)
        assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": logical(name)}}]

    @pytest.mark.parametrize(("announce", "watched"), [("true", {"Announce", "Cleanup"}), ("false", {"Cleanup"})])
    def test_watch_the_schedules(self, packaged: Json, announce: str, watched: set[str]) -> None:
        """A function that a schedule does not run has no metrics, which is an alarm unless that is intended."""
        stack = Stack(packaged, {"AnnounceFinished": announce})
        alarms = stack.of_type("AWS::CloudWatch::Alarm")
        schedules = {name.removesuffix("Rule") for name in stack.of_type("AWS::Events::Rule")}

        assert schedules == {"Announce", "Cleanup"}
        for kind in ("Silent", "Rule"):
            assert {name for name in schedules if f"{name}{kind}Alarm" in alarms} == watched
        for name in watched:
            silent, rule = alarms[f"{name}SilentAlarm"], alarms[f"{name}RuleAlarm"]
            assert (silent["MetricName"], silent["ComparisonOperator"], silent["Threshold"]) == (
                "Invocations", "LessThanThreshold", 1,
            )  # fmt: skip
            # CloudWatch accepts no more than a day.
            assert 3600 <= silent["Period"] * silent["EvaluationPeriods"] <= 86400
            assert (rule["Namespace"], rule["MetricName"]) == ("AWS/Events", "FailedInvocations")
            assert rule["Dimensions"] == [{"Name": "RuleName", "Value": f"{name}Rule"}]


class TestDashboard:
    """The dashboard for platform engineers."""

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_has_each_function(self, packaged: Json, name: str) -> None:
        """Each function has its Lambda metrics and its own metrics, in rows of two widgets."""
        body = packaged["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
        widgets: list[Json] = json.loads(body)["widgets"]
        places = [(widget["x"], widget["y"]) for widget in widgets]
        series = [tuple(each[:6]) for widget in widgets for each in widget["properties"]["metrics"]]
        own = ("ResearcherAPI", "Failures", "stack", "${AWS::StackName}", "function", name)

        assert ("AWS/Lambda", "Duration", "FunctionName", f"${{{logical(name)}}}", {"label": name}) in series
        assert own in series
        assert places == [(place % 2 * 12, place // 2 * 6) for place in range(len(widgets))]

    def test_has_a_name_of_its_own(self, packaged: Json) -> None:
        """Two stacks of one name in two regions have two dashboards, which are global in an account."""
        regions = ("eu-west-1", "us-east-1")
        stacks = [Stack(packaged, {}, {"AWS::Region": region}) for region in regions]
        names = {stack.of_type("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardName"] for stack in stacks}

        assert len(names) == len(regions)


class TestIssuer:
    """The token issuer of the stack, if no external one is configured."""

    def test_has_no_scopes_that_an_update_would_replace(self, packaged: Json) -> None:
        """Scopes and Applications are those of infra.commands.application; the functions accept its resource server."""
        trusted = decode(Path(configuration_file()).read_bytes()).user_pool("https://user.pool")

        assert [*of_type(packaged, "AWS::Cognito::UserPoolResourceServer")] == ["People"]
        assert [*of_type(packaged, "AWS::Cognito::UserPoolClient")] == ["SignInClient"]
        assert packaged["Resources"]["People"]["Properties"]["Identifier"] != RESOURCE_SERVER
        assert (trusted.scope_prefix, trusted.audiences[0]) == (f"{RESOURCE_SERVER}/", RESOURCE_SERVER)
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
