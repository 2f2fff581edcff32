"""The packaged template: one Lambda for each endpoint, each with no more than it needs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from chalice.app import Chalice
from msgspec.structs import fields

import app
from chalicelib.settings import Settings
from infra.packaging.chalice_graph import SharedNameError, endpoints
from infra.packaging.gateway_responses import ANY_METHOD
from infra.packaging.template import CONFIG
from tests.package.reading import (
    ENDPOINTS,
    EVENTS,
    FUNCTIONS,
    NAMES,
    environment,
    function,
    grants,
    logical,
    of_type,
    statements,
)

if TYPE_CHECKING:
    Json = dict[str, Any]

WITHOUT_CLUSTER = {"docs", "docs_asset", "openapi"}
"""Functions that ask nobody. Health is not among them: `?deep=true` asks the cluster."""
SET_BY_LAMBDA = {"aws_region", "aws_lambda_function_name", "aws_endpoint_url"}
SET_BY_STACK = {"uploads_bucket_owner"}
"""The stack's own account: nobody has to tell it."""

JOINING = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
BUCKET = "arn:${AWS::Partition}:s3:::${UploadsBucket}"
RECEIPTS: object = {"Fn::Sub": f"{BUCKET}/receipts/*"}
LISTING = ("s3:ListBucket", {"Fn::Sub": BUCKET})
"""Or S3 answers 403 for what is not there."""
EVENT_BUS = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"
OWN: dict[str, list[tuple[str, object]]] = {
    "announce": [("events:PutEvents", {"Fn::Sub": EVENT_BUS})],
    "cleanup": [("s3:GetObject", RECEIPTS), ("s3:PutObject", RECEIPTS), LISTING],
    "get_job": [("s3:GetObject", RECEIPTS), LISTING],
    "submit_upload": [
        ("s3:GetObject", {"Fn::Sub": f"{BUCKET}/submit/*"}),
        ("s3:GetObjectVersion", {"Fn::Sub": f"{BUCKET}/submit/*"}),
        ("s3:GetObject", {"Fn::Sub": f"{BUCKET}/status/*"}),
        ("s3:PutObject", {"Fn::Sub": f"{BUCKET}/status/*"}),
        LISTING,
        ("sqs:SendMessage", {"Fn::GetAtt": ["UploadFailures", "Arn"]}),
    ],
}
"""What functions may do beyond that, by name: action and resource."""


class TestFunctions:
    """The Lambdas."""

    def test_are_as_many_as_routes(self, packaged: Json) -> None:
        """No route shares a function, and no function is without a route or an event."""
        routes = sum(len(views) for views in app.app.routes.values())

        assert routes == len(NAMES)
        assert sorted(map(logical, FUNCTIONS)) == sorted(of_type(packaged, "AWS::Serverless::Function"))

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_run_alone_on_what_the_zip_is_built_for(self, packaged: Json, name: str) -> None:
        """Each loads its own code and no other's, an event's without the API, traced; wheels are for one processor."""
        found = function(packaged, name)

        assert found["Handler"] == (f"chalicelib.functions.{name}.handle" if name in EVENTS else "app.app")
        assert name in EVENTS or found["Environment"]["Variables"] == {"ENDPOINT": name}
        assert (found["Runtime"], found["Architectures"]) == ("python3.13", ["arm64"])
        assert (found["CodeUri"], found["Tracing"]) == ("./functions.zip", "Active")

    @pytest.mark.parametrize("name", NAMES)
    def test_have_the_memory_and_time_that_are_configured(self, packaged: Json, name: str) -> None:
        """None has Chalice's defaults; a function ends after its deadline, and before API Gateway gives up."""
        config = json.loads(CONFIG.read_text(encoding="utf-8"))
        configured = config | config["lambda_functions"].get(name, {})
        found = function(packaged, name)

        assert found["MemorySize"] == configured["lambda_memory_size"]
        assert found["Timeout"] == configured["lambda_timeout"] < 29
        if name not in WITHOUT_CLUSTER:
            assert found["Timeout"] > packaged["Parameters"]["DeadlineSeconds"]["MaxValue"]

    def test_refuse_to_be_shared(self) -> None:
        """Two routes of one name would be one function with the rights of both."""
        shared = Chalice("shared")
        shared.route("/one", name="same")(str)
        shared.route("/two", name="same")(str)

        with pytest.raises(SharedNameError, match="same"):
            endpoints(shared)


class TestSettings:
    """What a deployment is told."""

    @pytest.mark.parametrize(
        "setting", [field for field in fields(Settings) if field.name not in SET_BY_LAMBDA | SET_BY_STACK]
    )
    def test_are_parameters(self, packaged: Json, setting: Any) -> None:  # noqa: ANN401 - a field of any type
        """Every setting reaches every function from a parameter of the stack, with the same default."""
        name, wanted = logical(setting.name), {"Ref": logical(setting.name)}
        parameter = packaged["Parameters"][name]

        for one in FUNCTIONS:
            variable = environment(packaged, one)[setting.name.upper()]
            assert variable in (wanted, {"Fn::If": ["OwnIssuer", *variable.get("Fn::If", [])[1:2], wanted]})
        if not setting.required:
            assert type(parameter["Default"])(setting.default) == parameter["Default"]

    def test_ask_for_the_cluster_alone(self, packaged: Json) -> None:
        """And for a bucket's name; all else has a default, with which the stack makes its own token issuer."""
        asked = {name for name, parameter in packaged["Parameters"].items() if "Default" not in parameter}
        cluster = {"ClusterName", "ClusterEndpoint", "ClusterCa", "ClusterRoleArn", "ClusterExternalId"}

        assert asked == cluster | {"UploadsBucket"}

    def test_are_nothing_else(self, packaged: Json) -> None:
        """A variable that no setting reads is a mistake."""
        known = {field.name.upper() for field in fields(Settings)} | {"ENDPOINT"}

        assert all(set(environment(packaged, name)) <= known for name in FUNCTIONS)


class TestRights:
    """The roles."""

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_are_what_the_function_needs(self, packaged: Json, name: str) -> None:
        """Own logs, traces, and the cluster's role for whoever reaches the cluster, in a role of its own."""
        role = packaged["Resources"][function(packaged, name)["Role"]["Fn::GetAtt"][0]]["Properties"]
        (trusted,) = role["AssumeRolePolicyDocument"]["Statement"]
        own_logs = {"Fn::GetAtt": [f"{logical(name)}LogGroup", "Arn"]}
        reach = [("sts:AssumeRole", {"Ref": "ClusterRoleArn"}), *((action, "*") for action in JOINING)]

        assert list(grants(packaged, name)) == [
            ("logs:CreateLogStream", own_logs),
            ("logs:PutLogEvents", own_logs),
            ("xray:PutTelemetryRecords", "*"),
            ("xray:PutTraceSegments", "*"),
            *([] if name in WITHOUT_CLUSTER else reach),
            *OWN.get(name, []),
        ]
        assert (trusted["Principal"], trusted["Action"]) == ({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")

    def test_are_not_shared(self, packaged: Json) -> None:
        """A role for each function, and none is left over."""
        users = [function(packaged, name)["Role"]["Fn::GetAtt"][0] for name in FUNCTIONS]
        assert sorted(users) == sorted(of_type(packaged, "AWS::IAM::Role"))

    def test_reach_one_cluster_role(self, packaged: Json) -> None:
        """The parameter that names it takes no star."""
        allowed = re.compile(packaged["Parameters"]["ClusterRoleArn"]["AllowedPattern"])

        assert allowed.fullmatch("arn:aws:iam::123456789012:role/researcher-cluster")
        assert not allowed.fullmatch("arn:aws:iam::123456789012:role/*")
        assert not allowed.fullmatch("*")


class TestPrivateClusters:
    """A cluster whose endpoint only its VPC reaches."""

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_are_reached_from_its_subnets(self, packaged: Json, name: str) -> None:
        """Functions that ask the cluster join the subnets that the stack is told, if any; the others never do.

        The right to make network interfaces is Lambda's: our code, which could be tricked, does not have it.
        """
        subnets = {"Fn::If": ["InVpc", {"Ref": "SubnetIds"}, []]}
        groups = {"Fn::If": ["InVpc", {"Ref": "SecurityGroupIds"}, []]}
        wanted = None if name in WITHOUT_CLUSTER else {"SubnetIds": subnets, "SecurityGroupIds": groups}

        joining = [one["Condition"] for one in statements(packaged, name) if one["Action"] == list(JOINING)]
        assert function(packaged, name).get("VpcConfig") == wanted
        assert joining == ([] if wanted is None else [{"Null": {"lambda:SourceFunctionArn": "true"}}])


class TestLogs:
    """The log groups."""

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_belong_to_one_function_each(self, packaged: Json, name: str) -> None:
        """Each function writes to its own group, which the stack makes before it."""
        group = f"{logical(name)}LogGroup"

        assert function(packaged, name)["LoggingConfig"] == {"LogGroup": {"Ref": group}}
        assert packaged["Resources"][group]["Properties"]["LogGroupName"]["Fn::Sub"].endswith(f"/{name}")
        assert all(one.get("RetentionInDays") for one in of_type(packaged, "AWS::Logs::LogGroup").values())


class TestRoutes:
    """Each function's own method and path."""

    @pytest.mark.parametrize("name", NAMES)
    def test_call_the_function_and_nobody_else_may(self, packaged: Json, name: str) -> None:
        """API Gateway calls it for its own route of this API; cfn-lint looks at neither."""
        method, path = ENDPOINTS[name]
        paths = packaged["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
        called = paths[path][method.lower()]["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
        permissions = of_type(packaged, "AWS::Lambda::Permission").values()
        (permission,) = [one for one in permissions if one["FunctionName"] == {"Ref": f"{logical(name)}Aliaslive"}]

        assert f"/functions/${{{logical(name)}Aliaslive}}/invocations" in called
        assert (permission["Principal"], permission["Action"]) == ("apigateway.amazonaws.com", "lambda:InvokeFunction")
        assert permission["SourceArn"]["Fn::Sub"] == (
            "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${RestAPI}/v1/"
            + method
            + re.sub(r"\{\w+\}", "*", path)
        )

    def test_are_as_many_as_functions(self, packaged: Json) -> None:
        """No permission and no operation is left over."""
        callers = [one["Principal"] for one in of_type(packaged, "AWS::Lambda::Permission").values()]
        paths = packaged["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
        operations = [method for one in paths.values() for method in one if method != ANY_METHOD]

        assert callers.count("apigateway.amazonaws.com") == len(NAMES) == len(operations)
        assert len(callers) == len(FUNCTIONS)


class TestUploads:
    """The bucket of uploads, status objects and Receipts."""

    def test_keeps_nothing_for_ever(self, packaged: Json) -> None:
        """A Receipt is all that is left of a Job, yet even it ends; what is kept is encrypted."""
        bucket = packaged["Resources"]["Uploads"]["Properties"]
        ending = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule]

        assert {rule["Prefix"] for rule in ending} == {"submit/", "status/", "receipts/"}
        assert bucket["BucketEncryption"]
