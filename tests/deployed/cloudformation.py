"""What CloudFormation makes of a template's functions: Ref, Fn::Sub and the others, for one stack in one region.

A resource's Ref is its logical name, but where the template gives it a name; its Arn is made from that.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]

ACCOUNT = "123456789012"
REGION = "eu-west-1"
STACK = "researcher-test"
STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/11111111-2222-3333-4444-555555555555"
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackId": STACK_ID,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE = object()
"""What AWS::NoValue stands for: its place is left out."""

_NAMES = {
    "AWS::S3::Bucket": "BucketName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Serverless::Function": "FunctionName",
}
_ARNS = {
    "AWS::S3::Bucket": "arn:aws:s3:::{name}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{name}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{name}}:*",
    "AWS::Serverless::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{name}}",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{name}}",
}


class Stack:
    """A template together with its *parameters*, defaults for the rest."""

    def __init__(self, template: Json, parameters: Mapping[str, str]) -> None:
        defaults = {name: one["Default"] for name, one in template["Parameters"].items() if "Default" in one}
        self.parameters = {name: str(value) for name, value in {**defaults, **parameters}.items()}
        self.template = template

    def resolved(self, value: Any) -> Any:  # noqa: ANN401 - any part of a template
        """*value* without functions."""
        if isinstance(value, list):
            return [one for one in map(self.resolved, value) if one is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            function = getattr(self, f"_{name.removeprefix('Fn::').lower()}", None)
            if name in {"Ref", "Condition"} or name.startswith("Fn::"):
                assert function, name
                return function(argument)
        made = {name: self.resolved(one) for name, one in value.items()}
        return {name: one for name, one in made.items() if one is not NO_VALUE}

    def of_type(self, kind: str) -> dict[str, Json]:
        """The resolved properties of all resources of one type that this stack has, by logical name."""
        return {
            name: self.resolved(resource.get("Properties", {}))
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind and self._has(resource)
        }

    def name_of(self, logical: str) -> str:
        """What a resource is called in its service; a published function by the ARN of its alias."""
        if logical not in self.template["Resources"]:
            function, alias = logical.split("Alias")
            assert self.template["Resources"][function]["Properties"]["AutoPublishAlias"] == alias
            return f"{self._getatt([function, 'Arn'])}:{alias}"
        resource = self.template["Resources"][logical]
        given = resource.get("Properties", {}).get(_NAMES.get(resource["Type"], ""))
        return str(self.resolved(given)) if given else logical

    def _has(self, resource: Json) -> bool:
        return "Condition" not in resource or self._condition(resource["Condition"])

    def _condition(self, name: str) -> bool:
        return bool(self.resolved(self.template["Conditions"][name]))

    def _ref(self, name: str) -> Any:  # noqa: ANN401 - text, or no value at all
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.parameters:
            value = self.parameters[name]
            listed = self.template["Parameters"][name]["Type"] == "CommaDelimitedList"
            return value.split(",") if listed else value
        return PSEUDO.get(name) or self.name_of(name)

    def _getatt(self, path: list[str]) -> str:
        logical, attribute = path
        assert attribute == "Arn", path
        return _ARNS[self.template["Resources"][logical]["Type"]].format(name=self.name_of(logical))

    def _sub(self, argument: Any) -> str:  # noqa: ANN401 - a text, or a text with its variables
        text, variables = (argument, {}) if isinstance(argument, str) else argument
        own = {name: self.resolved(value) for name, value in variables.items()}

        def value(found: re.Match[str]) -> str:
            logical, dot, _ = found[1].partition(".")
            return str(own.get(found[1]) or (self._getatt([logical, "Arn"]) if dot else self._ref(found[1])))

        return re.sub(r"\$\{([\w:.]+)\}", value, text)

    def _if(self, argument: list[Any]) -> Any:  # noqa: ANN401 - any part of a template
        name, then, otherwise = argument
        return self.resolved(then if self._condition(name) else otherwise)

    def _join(self, argument: list[Any]) -> str:
        return str(argument[0]).join(self.resolved(argument[1]))

    def _select(self, argument: list[Any]) -> Any:  # noqa: ANN401 - any part of a template
        return self.resolved(argument[1])[int(argument[0])]

    def _split(self, argument: list[Any]) -> list[str]:
        return str(self.resolved(argument[1])).split(argument[0])

    def _equals(self, argument: list[Any]) -> bool:
        left, right = self.resolved(argument)
        return bool(left == right)

    def _not(self, argument: list[Any]) -> bool:
        return not self.resolved(argument[0])

    def _and(self, argument: list[Any]) -> bool:
        return all(self.resolved(argument))

    def _or(self, argument: list[Any]) -> bool:
        return any(self.resolved(argument))
