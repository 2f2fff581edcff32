"""CloudFormation's functions, as the template uses them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deployed.cloudformation import Stack

TEMPLATE = {
    "Parameters": {
        "Name": {"Type": "String"},
        "Subnets": {"Type": "CommaDelimitedList", "Default": ""},
        "Number": {"Type": "Number", "Default": 20},
    },
    "Conditions": {
        "InVpc": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "Subnets"}]}, ""]}]},
        "Outside": {"Fn::Not": [{"Condition": "InVpc"}]},
    },
    "Resources": {
        "Uploads": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "Name"}}},
        "Job": {"Type": "AWS::Serverless::Function", "Properties": {}},
        "Vpc": {"Type": "AWS::S3::Bucket", "Condition": "InVpc"},
    },
}


def stack(**parameters: str) -> Stack:
    """A stack of the template."""
    return Stack(TEMPLATE, {"Name": "uploads", **parameters})


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "Name"}, "uploads"),
        ({"Ref": "Number"}, "20"),
        ({"Ref": "AWS::Partition"}, "aws"),
        ({"Ref": "Uploads"}, "uploads"),
        ({"Fn::GetAtt": ["Uploads", "Arn"]}, "arn:aws:s3:::uploads"),
        ({"Fn::Sub": "${Uploads.Arn}/${Name}/*"}, "arn:aws:s3:::uploads/uploads/*"),
        ({"Fn::Sub": ["${A}-${Name}", {"A": {"Ref": "Number"}}]}, "20-uploads"),
        ({"Fn::Sub": "${Job.Arn}"}, "arn:aws:lambda:eu-west-1:123456789012:function:Job"),
        ({"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}, "11111111-2222-3333-4444-555555555555"),
        ({"Fn::If": ["InVpc", 1, {"Ref": "Name"}]}, "uploads"),
        ({"a": {"Fn::If": ["InVpc", 1, {"Ref": "AWS::NoValue"}]}, "b": [1, {"Ref": "AWS::NoValue"}]}, {"b": [1]}),
        ({"Fn::Or": [{"Condition": "InVpc"}, {"Condition": "Outside"}]}, True),
        ({"Fn::And": [{"Condition": "InVpc"}, {"Condition": "Outside"}]}, False),
    ],
)
def test_functions(value: Any, resolved: object) -> None:  # noqa: ANN401 - any part of a template
    """Each gives what the service would give."""
    assert stack().resolved(value) == resolved


def test_an_unknown_function_is_an_error() -> None:
    """A template that says more than is understood here is not half understood."""
    with pytest.raises(AssertionError):
        stack().resolved({"Fn::ImportValue": "x"})


def test_conditions_choose_resources() -> None:
    """A resource whose condition does not hold is not there."""
    assert set(stack().of_type("AWS::S3::Bucket")) == {"Uploads"}
    assert set(stack(Subnets="a,b").of_type("AWS::S3::Bucket")) == {"Uploads", "Vpc"}


def test_lists_come_as_lists() -> None:
    """Separated by commas in the parameter."""
    assert stack(Subnets="a,b").resolved({"Ref": "Subnets"}) == ["a", "b"]
