"""The intrinsic functions of CloudFormation (Ref, Fn::Sub and others), evaluated for one stack in one region.

The Ref of a resource is its logical name, unless the template sets a name; its Arn is derived from that.
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
"""AWS::NoValue: the property or item is omitted."""

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
    "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{name}}",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{name}}",
}


class Stack:
    """A template with *parameters*, and defaults for the rest; *pseudo* replaces pseudo parameters."""

    def __init__(self, template: Json, parameters: Mapping[str, str], pseudo: Mapping[str, str] | None = None) -> None:
        declared = template.get("Parameters", {})
        defaults = {name: each["Default"] for name, each in declared.items() if "Default" in each}
        self.parameters = {name: str(value) for name, value in {**defaults, **parameters}.items()}
        self.template = template
        self._pseudo = {**PSEUDO, **(pseudo or {})}

    def resolve(self, value: Any) -> Any:  # noqa: ANN401 - any part of a template
        """Return *value* with its intrinsic functions evaluated."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            function = getattr(self, f"_{name.removeprefix('Fn::').lower()}", None)
            if name in {"Ref", "Condition"} or name.startswith("Fn::"):
                assert function, name
                return function(argument)
        evaluated = {name: self.resolve(item) for name, item in value.items()}
        return {name: item for name, item in evaluated.items() if item is not NO_VALUE}

    def of_type(self, kind: str) -> dict[str, Json]:
        """Return the evaluated properties of all resources of one type whose condition holds, by logical name."""
        return {
            name: self.resolve(resource.get("Properties", {}))
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind and self._has(resource)
        }

    def name_of(self, logical: str) -> str:
        """Return the physical name of a resource; that of a published function is the ARN of its alias."""
        if logical not in self.template["Resources"]:
            function, alias = logical.split("Alias")
            assert self.template["Resources"][function]["Properties"]["AutoPublishAlias"] == alias
            return f"{self._getatt([function, 'Arn'])}:{alias}"
        resource = self.template["Resources"][logical]
        name_property = resource.get("Properties", {}).get(_NAMES.get(resource["Type"], ""))
        return str(self.resolve(name_property)) if name_property else logical

    def _has(self, resource: Json) -> bool:
        return "Condition" not in resource or self._condition(resource["Condition"])

    def _condition(self, name: str) -> bool:
        return bool(self.resolve(self.template["Conditions"][name]))

    def _ref(self, name: str) -> Any:  # noqa: ANN401 - a string, a list, or AWS::NoValue
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.parameters:
            value = self.parameters[name]
            is_list = self.template["Parameters"][name]["Type"] == "CommaDelimitedList"
            return value.split(",") if is_list else value
        return self._pseudo.get(name) or self.name_of(name)

    def _getatt(self, path: list[str]) -> str:
        logical, attribute = path
        if attribute == "QueueName":
            return self.name_of(logical)
        assert attribute == "Arn", path
        return _ARNS[self.template["Resources"][logical]["Type"]].format(name=self.name_of(logical))

    def _sub(self, argument: Any) -> str:  # noqa: ANN401 - a string, or a string with variables
        text, variables = (argument, {}) if isinstance(argument, str) else argument
        own = {name: self.resolve(value) for name, value in variables.items()}

        def value(match: re.Match[str]) -> str:
            logical, dot, _ = match[1].partition(".")
            return str(own.get(match[1]) or (self._getatt([logical, "Arn"]) if dot else self._ref(match[1])))

        return re.sub(r"\$\{([\w:.]+)\}", value, text)

    def _if(self, argument: list[Any]) -> Any:  # noqa: ANN401 - any part of a template
        name, then, otherwise = argument
        return self.resolve(then if self._condition(name) else otherwise)

    def _join(self, argument: list[Any]) -> str:
        return str(argument[0]).join(self.resolve(argument[1]))

    def _select(self, argument: list[Any]) -> Any:  # noqa: ANN401 - any part of a template
        return self.resolve(argument[1])[int(argument[0])]

    def _split(self, argument: list[Any]) -> list[str]:
        return str(self.resolve(argument[1])).split(argument[0])

    def _equals(self, argument: list[Any]) -> bool:
        left, right = self.resolve(argument)
        return bool(left == right)

    def _not(self, argument: list[Any]) -> bool:
        return not self.resolve(argument[0])

    def _and(self, argument: list[Any]) -> bool:
        return all(self.resolve(argument))

    def _or(self, argument: list[Any]) -> bool:
        return any(self.resolve(argument))
