"""The stacks of an account, as CloudFormation documents their updates: names, retention, versions and parameters.

A resource whose name is in use cannot be created; then everything that this deployment has created is deleted again,
except what its DeletionPolicy retains. https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.deployed.cloudformation import ACCOUNT, REGION, Stack
from tests.deployed.published_versions import PublishedVersions, VersionExistsError
from tests.package.packaged_template import transform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Json = dict[str, Any]
Names = set[tuple[str, str]]

UNIQUE = {
    "AWS::S3::Bucket": "BucketName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Cognito::UserPoolDomain": "Domain",
    "AWS::CloudWatch::Dashboard": "DashboardName",
}
"""The types of named resources, and the property that must be unique in the account."""
RETAINED_ON_DELETE = {"Retain", "RetainExceptOnCreate"}


class RefusedError(Exception):
    """A request that CloudFormation refuses with a ValidationError; the text is its message."""


@dataclass
class DeployedStack:
    """A stack of the account, with what its resources are called."""

    name: str
    template: Json = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    status: str = "REVIEW_IN_PROGRESS"
    events: list[str] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    role: str = ""
    names: Names = field(default_factory=set)
    versions: PublishedVersions = field(default_factory=PublishedVersions)
    unique_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def id(self) -> str:
        """The ARN of the stack, with its UUID."""
        return f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{self.name}/{self.unique_id}"

    @property
    def exists(self) -> bool:
        """Whether a deployment is an update."""
        return self.status != "REVIEW_IN_PROGRESS"


class Stacks:
    """The stacks by name. *names* are the resources that exist, also outside of stacks."""

    def __init__(self, names: Names, outputs: Callable[[DeployedStack], dict[str, str]]) -> None:
        self.by_name: dict[str, DeployedStack] = {}
        self.log_role_is_set = False
        self._names = names
        self._outputs = outputs

    def find(self, name: str) -> DeployedStack:
        """Return the stack of that name or ARN."""
        found = self.by_name.get(name.split("/")[1] if name.startswith("arn:") else name)
        if found is None:
            raise RefusedError(f"Stack with id {name} does not exist")
        return found

    def check(self, stack: DeployedStack, template: Json, given: Mapping[str, str | None]) -> dict[str, str]:
        """Return the parameters of an update; None in *given* is UsePreviousValue."""
        declared: Json = template.get("Parameters", {})
        if unknown := sorted(given.keys() - declared.keys()):
            raise RefusedError(f"Parameters: {unknown} do not exist in the template")
        defaults = {name: str(each["Default"]) for name, each in declared.items() if "Default" in each}
        kept = {name: stack.parameters[name] for name, value in given.items() if value is None}
        values = defaults | kept | {name: value for name, value in given.items() if value is not None}
        if missing := sorted(declared.keys() - values.keys()):
            raise RefusedError(f"Parameters: {missing} must have values")
        return values

    def deploy(self, stack: DeployedStack, template: Json, parameters: dict[str, str]) -> None:
        """Create or update the stack, or roll back."""
        creating, created = not stack.exists, set[tuple[str, str]]()
        resolved = Stack(template, parameters, {"AWS::StackName": stack.name, "AWS::StackId": stack.id})
        named = {name: logical for logical, name in _names(resolved)}
        try:
            for name in sorted(named.keys() - stack.names):
                self._create(name)
                created.add(name)
            self._create_the_rest(stack, resolved)
        except (RefusedError, VersionExistsError) as error:
            stack.events.append(f"{'CREATE' if creating else 'UPDATE'}_FAILED {error}")
            stack.status = "ROLLBACK_COMPLETE" if creating else "UPDATE_ROLLBACK_COMPLETE"
            self._names -= {name for name in created if _policy(template, named[name]) != "Retain"}
            return
        removed = {name for name in stack.names - named.keys() if _retains(stack.template, name) is False}
        self._names -= removed
        stack.template, stack.parameters, stack.names = template, parameters, set(named)
        stack.status = "CREATE_COMPLETE" if creating else "UPDATE_COMPLETE"
        stack.outputs = {
            name: str(resolved.resolve(output["Value"]))
            for name, output in template.get("Outputs", {}).items()
            if "Condition" not in output or resolved.resolve({"Condition": output["Condition"]})
        } | self._outputs(stack)

    def delete(self, name: str) -> None:
        """Delete the stack, and the resources that it does not retain."""
        stack = self.by_name.pop(name)
        resolved = Stack(stack.template, stack.parameters, {"AWS::StackName": name, "AWS::StackId": stack.id})
        for logical, physical in _names(resolved) if stack.template else ():
            if _policy(stack.template, logical) not in RETAINED_ON_DELETE:
                self._names.discard(physical)

    def _create(self, name: tuple[str, str]) -> None:
        if name in self._names:
            raise RefusedError(f"{name[1]} already exists")
        self._names.add(name)

    def _create_the_rest(self, stack: DeployedStack, resolved: Stack) -> None:
        """Fail for an access log without the account's role; publish versions of functions."""
        if "Transform" not in resolved.template:
            return
        for api in resolved.of_type("AWS::Serverless::Api").values():
            if "AccessLogSetting" in api and not self.log_role_is_set:
                raise RefusedError("CloudWatch Logs role ARN must be set in account settings to enable logging")
        codes = {each["CodeUri"] for each in resolved.of_type("AWS::Serverless::Function").values()}
        stack.versions.deploy(transform(resolved.template), resolved.parameters, "".join(sorted(map(str, codes))))


def _names(resolved: Stack) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield logical ID, and type and name, of each resource whose name must be unique."""
    for kind, attribute in UNIQUE.items():
        for logical, properties in resolved.of_type(kind).items():
            if attribute in properties:
                yield logical, (kind, str(properties[attribute]))


def _policy(template: Json, logical: str) -> str:
    return str(template["Resources"][logical].get("DeletionPolicy", "Delete"))


def _retains(template: Json, name: tuple[str, str]) -> bool:
    """Return whether resources of that type are retained; the template has one policy for each type."""
    kind = [each for each in template["Resources"].values() if each["Type"] == name[0]]
    return any(each.get("DeletionPolicy", "Delete") in RETAINED_ON_DELETE for each in kind)
