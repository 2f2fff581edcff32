"""The template after CloudFormation has applied the SAM transform, which these tests apply too."""

from __future__ import annotations

import json

import pytest
from cfnlint.api import ManualArgs, lint

from infra.packaging.bundle import ROOT
from tests.package.packaged_template import FUNCTIONS, NAMES, Json, environment, function, logical, of_type


class TestTransform:
    """The plain template."""

    def test_passes_cfn_lint(self, transformed: Json, packaged: Json) -> None:
        """cfn-lint accepts the plain types and SAM's, also by its optional rules, and detects an error.

        I4010 requires descriptions of the architecture in the template; they are in the documentation.
        """
        strict = ManualArgs(include_checks=["I"], ignore_checks=["I4010"])
        broken = packaged | {"Outputs": {"Nothing": {"Value": {"Ref": "Missing"}}}}

        access = (ROOT / "infra" / "cluster-access.yaml").read_text()

        assert [str(match) for match in lint(access, config=strict)] == []
        assert [str(match) for each in (transformed, packaged) for match in lint(json.dumps(each), config=strict)] == []
        assert lint(json.dumps(broken))

    def test_has_one_regional_stage(self, transformed: Json) -> None:
        """There is no additional stage: SAM would add one, named Stage, without throttling and log."""
        (api,) = of_type(transformed, "AWS::ApiGateway::RestApi").values()

        assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
        assert [stage["StageName"] for stage in of_type(transformed, "AWS::ApiGateway::Stage").values()] == ["v1"]

    def test_adds_no_role_and_no_permission(self, transformed: Json, packaged: Json) -> None:
        """The transform adds no role and no permission to those of the template."""
        for kind in ("AWS::IAM::Role", "AWS::Lambda::Permission"):
            assert of_type(transformed, kind) == of_type(packaged, kind)
        assert of_type(transformed, "AWS::IAM::Policy") == of_type(transformed, "AWS::IAM::ManagedPolicy") == {}

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_merges_global_settings(self, transformed: Json, packaged: Json, name: str) -> None:
        """The settings of a function are those of the template, merged with the global ones."""
        compiled, source = of_type(transformed, "AWS::Lambda::Function")[logical(name)], function(packaged, name)

        assert compiled["Environment"]["Variables"] == environment(packaged, name)
        assert compiled["TracingConfig"] == {"Mode": "Active"}
        for setting in ("Runtime", "Handler", "MemorySize", "Timeout", "Architectures", "Role", "LoggingConfig"):
            assert compiled[setting] == source[setting], setting

    @pytest.mark.parametrize("name", NAMES)
    def test_publishes_a_version_with_an_alias(self, transformed: Json, packaged: Json, name: str) -> None:
        """The description of the version is the release, so each deployment publishes a new one."""
        alias = of_type(transformed, "AWS::Lambda::Alias")[f"{logical(name)}Aliaslive"]
        version = transformed["Resources"][alias["FunctionVersion"]["Fn::GetAtt"][0]]["Properties"]

        assert version == {"FunctionName": {"Ref": logical(name)}, "Description": {"Ref": "Release"}}
        assert function(packaged, name)["SnapStart"] == {"ApplyOn": {"Ref": "SnapStart"}}
        assert packaged["Parameters"]["SnapStart"]["Default"] == "None"
