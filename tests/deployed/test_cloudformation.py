"""The intrinsic functions of CloudFormation that the template uses."""

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
    """Return a stack of the template."""
    return Stack(TEMPLATE, {"Name": "uploads", **parameters})


@pytest.mark.parametrize(
    ("value", "expected"),
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
def test_functions(value: Any, expected: object) -> None:  # noqa: ANN401 - any part of a template
    """Each function evaluates as in CloudFormation."""
    assert stack().resolve(value) == expected


def test_conditions() -> None:
    """Resources with a false condition are omitted, and unsupported functions are errors."""
    assert [set(each.of_type("AWS::S3::Bucket")) for each in (stack(), stack(Subnets="a,b"))] == [
        {"Uploads"},
        {"Uploads", "Vpc"},
    ]
    assert stack(Subnets="a,b").resolve({"Ref": "Subnets"}) == ["a", "b"]
    with pytest.raises(AssertionError):
        stack().resolve({"Fn::ImportValue": "x"})
