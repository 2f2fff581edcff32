"""The packaged template: one Lambda function for each endpoint, with minimal permissions."""

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
from tests.deployed.cloudformation import STACK_ID, Stack
from tests.package.packaged_template import (
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

WITHOUT_CLUSTER = {"docs", "docs_asset", "openapi", "sign_in"}
"""Functions that need no cluster. Health is not one of them, because of `?deep=true`."""
SET_BY_LAMBDA = {"aws_region", "aws_lambda_function_name"}
OF_OTHER_ENVIRONMENTS = {"aws_endpoint_url", "configuration_file"}
"""Replace the services of AWS, and the configuration in the zip."""
SET_BY_STACK = {"uploads_bucket_owner", "user_pool_client_id", "user_pool_issuer"}
"""The account of the stack, a pseudo parameter, and its own user pool."""

NO_PARAMETER = SET_BY_LAMBDA | SET_BY_STACK | OF_OTHER_ENVIRONMENTS

VPC_ACTIONS = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
BUCKET = "arn:${AWS::Partition}:s3:::${UploadsBucket}"
RECEIPTS: object = {"Fn::Sub": f"{BUCKET}/receipts/*"}
LIST_BUCKET = ("s3:ListBucket", {"Fn::Sub": BUCKET})
"""Without it, S3 returns 403 for a missing object."""
EVENT_BUS = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"
ADDITIONAL: dict[str, list[tuple[str, object]]] = {
    "announce": [("events:PutEvents", {"Fn::Sub": EVENT_BUS})],
    "cleanup": [("s3:GetObject", RECEIPTS), ("s3:PutObject", RECEIPTS), LIST_BUCKET],
    **{
        name: [("s3:GetObject", RECEIPTS), LIST_BUCKET]
        for name in (
            *("clone_job", "delete_job", "delete_jobs", "get_job", "job_diagnosis", "job_events", "job_indexes"),
            *("job_logs", "keep_job", "resume_job", "retry_job", "suspend_job", "unkeep_job"),
        )
    },
    "submit_upload": [
        ("s3:GetObject", {"Fn::Sub": f"{BUCKET}/submit/*"}),
        ("s3:GetObjectVersion", {"Fn::Sub": f"{BUCKET}/submit/*"}),
        ("s3:GetObject", {"Fn::Sub": f"{BUCKET}/status/*"}),
        ("s3:PutObject", {"Fn::Sub": f"{BUCKET}/status/*"}),
        LIST_BUCKET,
        ("sqs:SendMessage", {"Fn::GetAtt": ["UploadFailures", "Arn"]}),
    ],
}
"""Additional permissions by function: action and resource."""


class TestFunctions:
    """The Lambda functions."""

    def test_match_the_routes(self, packaged: Json) -> None:
        """Every route has its own function, and every function a route or an event."""
        routes = sum(len(views) for views in app.app.routes.values())

        assert routes == len(NAMES)
        assert sorted(map(logical, FUNCTIONS)) == sorted(of_type(packaged, "AWS::Serverless::Function"))

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_configuration_matches_the_zip(self, packaged: Json, name: str) -> None:
        """Each function loads its own handler, on the Python and the processor of the zip, with tracing."""
        found = function(packaged, name)

        assert found["Handler"] == (f"chalicelib.functions.{name}.handle" if name in EVENTS else "app.app")
        assert name in EVENTS or found["Environment"]["Variables"] == {"ENDPOINT": name}
        assert (found["Runtime"], found["Architectures"]) == ("python3.13", ["arm64"])
        assert (found["CodeUri"], found["Tracing"]) == ("./functions.zip", "Active")

    @pytest.mark.parametrize("name", NAMES)
    def test_have_the_configured_memory_and_timeout(self, packaged: Json, name: str) -> None:
        """Memory and timeout are those of config.json; the timeout is after the deadline and before API Gateway's."""
        config = json.loads(CONFIG.read_text(encoding="utf-8"))
        configured = config | config["lambda_functions"].get(name, {})
        found = function(packaged, name)

        assert found["MemorySize"] == configured["lambda_memory_size"]
        assert found["Timeout"] == configured["lambda_timeout"] < 29
        if name not in WITHOUT_CLUSTER:
            assert found["Timeout"] > packaged["Parameters"]["DeadlineSeconds"]["MaxValue"]

    def test_duplicate_names_are_rejected(self) -> None:
        """Two routes with one name are an error: they would be one function with the permissions of both."""
        shared = Chalice("shared")
        shared.route("/one", name="same")(str)
        shared.route("/two", name="same")(str)

        with pytest.raises(SharedNameError, match="same"):
            endpoints(shared)


class TestSettings:
    """The settings of a deployment."""

    @pytest.mark.parametrize(
        "setting",
        [field for field in fields(Settings) if field.name not in NO_PARAMETER],
    )
    def test_are_parameters(self, packaged: Json, setting: Any) -> None:  # noqa: ANN401 - a field of any type
        """Every setting is a parameter of the stack with the same default, and a variable of every function."""
        name, expected = logical(setting.name), {"Ref": logical(setting.name)}
        parameter = packaged["Parameters"][name]

        for function_name in FUNCTIONS:
            variable = environment(packaged, function_name)[setting.name.upper()]
            assert variable in (expected, {"Fn::If": ["OwnIssuer", *variable.get("Fn::If", [])[1:2], expected]})
        if not setting.required:
            assert type(parameter["Default"])(setting.default) == parameter["Default"]

    def test_required_parameters(self, packaged: Json) -> None:
        """Only the cluster and the bucket are required; with the defaults, the stack creates its own token issuer."""
        required = {name for name, parameter in packaged["Parameters"].items() if "Default" not in parameter}
        cluster = {"ClusterName", "ClusterEndpoint", "ClusterRoleArn", "ClusterExternalId"}

        assert required == cluster | {"UploadsBucket"}

    def test_have_no_other_variables(self, packaged: Json) -> None:
        """The functions have no variable that is not a setting, except their route, the release and the stack."""
        known = {field.name.upper() for field in fields(Settings)} | {"ENDPOINT", "RELEASE", "STACK_NAME"}

        assert all(set(environment(packaged, name)) <= known for name in FUNCTIONS)


class TestPermissions:
    """The roles of the functions."""

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_are_minimal(self, packaged: Json, name: str) -> None:
        """Each function has its own role with its logs, traces and, if it needs the cluster, the cluster's role."""
        role = packaged["Resources"][function(packaged, name)["Role"]["Fn::GetAtt"][0]]["Properties"]
        (trusted,) = role["AssumeRolePolicyDocument"]["Statement"]
        own_logs = {"Fn::GetAtt": [f"{logical(name)}LogGroup", "Arn"]}
        cluster_access = [("sts:AssumeRole", {"Ref": "ClusterRoleArn"}), *((action, "*") for action in VPC_ACTIONS)]
        boundary = {"Fn::If": ["Bounded", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]}

        assert list(grants(packaged, name)) == [
            ("logs:CreateLogStream", own_logs),
            ("logs:PutLogEvents", own_logs),
            ("xray:PutTelemetryRecords", "*"),
            ("xray:PutTraceSegments", "*"),
            *([] if name in WITHOUT_CLUSTER else cluster_access),
            *ADDITIONAL.get(name, []),
        ]
        assert role["PermissionsBoundary"] == boundary
        assert (trusted["Principal"], trusted["Action"]) == ({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")

    def test_are_not_shared(self, packaged: Json) -> None:
        """Each function has a role, and there is no other role."""
        users = [function(packaged, name)["Role"]["Fn::GetAtt"][0] for name in FUNCTIONS]
        assert sorted(users) == sorted(of_type(packaged, "AWS::IAM::Role"))

    def test_cluster_role_has_no_wildcard(self, packaged: Json) -> None:
        """The parameter of the cluster role accepts no wildcard."""
        allowed = re.compile(packaged["Parameters"]["ClusterRoleArn"]["AllowedPattern"])

        assert allowed.fullmatch("arn:aws:iam::123456789012:role/researcher-cluster")
        assert not allowed.fullmatch("arn:aws:iam::123456789012:role/*")
        assert not allowed.fullmatch("*")


class TestPrivateClusters:
    """A cluster with an endpoint that is only reachable from its VPC."""

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_functions_join_the_vpc(self, packaged: Json, name: str) -> None:
        """Functions that need the cluster join the configured subnets, if any; the others never do.

        The permission for network interfaces, which Lambda requires of the role, is denied to the function's code.
        """
        subnets = {"Fn::If": ["InVpc", {"Ref": "SubnetIds"}, []]}
        groups = {"Fn::If": ["InVpc", {"Ref": "SecurityGroupIds"}, []]}
        expected = None if name in WITHOUT_CLUSTER else {"SubnetIds": subnets, "SecurityGroupIds": groups}

        found = [
            (each["Effect"], each.get("Condition"))
            for each in statements(packaged, name)
            if each["Action"] == list(VPC_ACTIONS)
        ]
        by_code = {"Null": {"lambda:SourceFunctionArn": "false"}}
        assert function(packaged, name).get("VpcConfig") == expected
        assert found == ([] if expected is None else [("Allow", None), ("Deny", by_code)])


class TestLogs:
    """The log groups."""

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_belong_to_one_function(self, packaged: Json, name: str) -> None:
        """Each function logs to its own group, which the stack creates first."""
        group = f"{logical(name)}LogGroup"

        assert function(packaged, name)["LoggingConfig"] == {"LogGroup": {"Ref": group}}
        assert packaged["Resources"][group]["Properties"]["LogGroupName"]["Fn::Sub"][0].endswith(f"/{name}")
        assert all(group.get("RetentionInDays") for group in of_type(packaged, "AWS::Logs::LogGroup").values())

    def test_stay_with_the_audit_trail(self, packaged: Json) -> None:
        """Groups of a deleted stack stay, so a new stack of the same name has other groups, which an output names."""
        groups = [each for each in packaged["Resources"].values() if each["Type"] == "AWS::Logs::LogGroup"]
        stacks = [Stack(packaged, {}, {"AWS::StackId": STACK_ID.replace("11111111", number)}) for number in ("a", "b")]
        names = [each["LogGroupName"] for stack in stacks for each in stack.of_type("AWS::Logs::LogGroup").values()]
        starts = tuple(stack.resolve(packaged["Outputs"]["LogGroups"]["Value"]) for stack in stacks)

        assert {(each["DeletionPolicy"], each["UpdateReplacePolicy"]) for each in groups} == {
            ("RetainExceptOnCreate", "Retain")
        }
        assert len(names) == len({*names}) == 2 * (len(FUNCTIONS) + 1)
        assert all(name.startswith(starts) for name in names)


class TestRoutes:
    """The method and path of each function."""

    @pytest.mark.parametrize("name", NAMES)
    def test_invoke_their_function(self, packaged: Json, name: str) -> None:
        """API Gateway, for this route of this API only, invokes the function; cfn-lint checks neither."""
        method, path = ENDPOINTS[name]
        paths = packaged["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
        uri = paths[path][method.lower()]["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
        permissions = of_type(packaged, "AWS::Lambda::Permission").values()
        (permission,) = [each for each in permissions if each["FunctionName"] == {"Ref": f"{logical(name)}Aliaslive"}]

        assert f"/functions/${{{logical(name)}Aliaslive}}/invocations" in uri
        assert (permission["Principal"], permission["Action"]) == ("apigateway.amazonaws.com", "lambda:InvokeFunction")
        assert permission["SourceArn"]["Fn::Sub"] == (
            "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${RestAPI}/v1/"
            + method
            + re.sub(r"\{\w+\}", "*", path)
        )

    def test_match_the_functions(self, packaged: Json) -> None:
        """There is no other permission and no other operation."""
        callers = [permission["Principal"] for permission in of_type(packaged, "AWS::Lambda::Permission").values()]
        paths = packaged["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
        operations = [method for path in paths.values() for method in path if method != ANY_METHOD]

        assert callers.count("apigateway.amazonaws.com") == len(NAMES) == len(operations)
        # The operator invokes self_check with credentials of their own.
        assert len(callers) == len(FUNCTIONS) - len({"self_check"})


CI = "arn:aws:iam::123456789012:role/ci"


class TestUploads:
    """The bucket of uploads, status objects and Receipts."""

    @pytest.mark.parametrize(
        ("uploaders", "principal", "allowed"),
        [
            ("", CI, {"own policy"}),
            (f"{CI},arn:aws:iam::123456789012:user/alice", CI, {"own policy", "bucket policy"}),
            (CI, "arn:aws:iam::123456789012:role/admin", set()),
            (CI, f"{CI}-other", set()),
        ],
        ids=["everyone with a policy", "an uploader", "an administrator", "a longer name"],
    )
    def test_uploaders(self, packaged: Json, uploaders: str, principal: str, allowed: set[str]) -> None:
        """With UploaderArns only those may upload a submission, whatever their own policies allow, over TLS only."""
        policy = Stack(packaged, {"UploadsBucket": "b", "UploaderArns": uploaders}).of_type("AWS::S3::BucketPolicy")
        tls, *rest = policy["UploadsPolicy"]["PolicyDocument"]["Statement"]
        granted = {"own policy"}
        for statement in rest:
            assert statement["Resource"] == "arn:aws:s3:::b/submit/*"
            if statement["Effect"] == "Allow" and principal in statement["Principal"]["AWS"]:
                assert statement["Action"] == "s3:PutObject"
                granted.add("bucket policy")
        for statement in rest:
            if statement["Effect"] == "Deny":
                assert (statement["Principal"], "s3:PutObject" in statement["Action"]) == ("*", True)
                others = statement["Condition"]["StringNotEquals"]["aws:PrincipalArn"]
                granted = granted if principal in others else set()

        assert (granted, tls["Sid"]) == (allowed, "TlsOnly")

    def test_objects_expire(self, packaged: Json) -> None:
        """All objects, including Receipts, expire; the bucket is encrypted."""
        bucket = packaged["Resources"]["Uploads"]["Properties"]
        expiring = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule]

        assert {rule["Prefix"] for rule in expiring} == {"submit/", "status/", "receipts/"}
        assert bucket["BucketEncryption"]
