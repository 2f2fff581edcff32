"""What CloudFormation makes of the template: it applies the SAM transform, and so do these tests."""

from __future__ import annotations

import copy
import json

import boto3
import pytest
from cfnlint.api import lint
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from tests.package.reading import FUNCTIONS, NAMES, Json, environment, function, logical, of_type


@pytest.fixture(scope="module")
def transformed(packaged: Json) -> Json:
    """The template with plain resource types, after the zip was uploaded."""
    uploaded = copy.deepcopy(packaged)
    for properties in of_type(uploaded, "AWS::Serverless::Function").values():
        properties["CodeUri"] = "s3://bucket/functions.zip"
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="eu-west-1"))
    translated: Json = translator.translate(uploaded, parameter_values={})
    return translated


class TestTransform:
    """The plain template."""

    def test_is_clean(self, transformed: Json, packaged: Json) -> None:
        """cfn-lint knows the plain types, and SAM's, to their last property."""
        broken = packaged | {"Outputs": {"Nothing": {"Value": {"Ref": "Nobody"}}}}

        assert [str(match) for one in (transformed, packaged) for match in lint(json.dumps(one))] == []
        assert lint(json.dumps(broken))

    def test_has_one_regional_stage(self, transformed: Json) -> None:
        """SAM likes to add a second one, named Stage, with neither throttle nor log."""
        (api,) = of_type(transformed, "AWS::ApiGateway::RestApi").values()

        assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
        assert [stage["StageName"] for stage in of_type(transformed, "AWS::ApiGateway::Stage").values()] == ["v1"]

    def test_adds_no_role_and_no_permission(self, transformed: Json, packaged: Json) -> None:
        """Who may do what is all in the template that we write."""
        for kind in ("AWS::IAM::Role", "AWS::Lambda::Permission"):
            assert of_type(transformed, kind) == of_type(packaged, kind)
        assert of_type(transformed, "AWS::IAM::Policy") == of_type(transformed, "AWS::IAM::ManagedPolicy") == {}

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_keeps_each_functions_settings(self, transformed: Json, packaged: Json, name: str) -> None:
        """Settings for all and for the one are merged; nothing gets lost on the way."""
        made, written = of_type(transformed, "AWS::Lambda::Function")[logical(name)], function(packaged, name)

        assert made["Environment"]["Variables"] == environment(packaged, name)
        assert made["TracingConfig"] == {"Mode": "Active"}
        for same in ("Runtime", "Handler", "MemorySize", "Timeout", "Architectures", "Role", "LoggingConfig"):
            assert made[same] == written[same], same

    @pytest.mark.parametrize("name", NAMES)
    def test_publishes_a_version_behind_an_alias(self, transformed: Json, packaged: Json, name: str) -> None:
        """Described by the deployment: another description replaces the version, whatever else is the same."""
        alias = of_type(transformed, "AWS::Lambda::Alias")[f"{logical(name)}Aliaslive"]
        version = transformed["Resources"][alias["FunctionVersion"]["Fn::GetAtt"][0]]["Properties"]

        assert version == {"FunctionName": {"Ref": logical(name)}, "Description": {"Ref": "Release"}}
        assert function(packaged, name)["SnapStart"] == {"ApplyOn": {"Ref": "SnapStart"}}
        assert packaged["Parameters"]["SnapStart"]["Default"] == "None"
