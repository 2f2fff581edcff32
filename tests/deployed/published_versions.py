"""Lambda's PublishVersion, and CloudFormation's updates of versions and aliases, for a transformed template.

PublishVersion "doesn't publish a version if the function's configuration and code haven't changed since the last
version" (Lambda API reference); a description is not part of that. CloudFormation then fails with AlreadyExists.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.deployed.cloudformation import Stack

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]


class VersionExistsError(Exception):
    """CloudFormation: "A version for this Lambda function exists"; the text is the logical ID of the version."""


class PublishedVersions:
    """The functions of one stack. `aliases` has the configuration behind each alias, by logical ID of the function."""

    def __init__(self) -> None:
        self.aliases: dict[str, Json] = {}
        self._published: dict[str, list[str]] = {}
        self._resources: dict[str, str] = {}

    def deploy(self, template: Json, parameters: Mapping[str, str], code: str) -> None:
        """Create or update the stack from the transformed *template*, with the hash of the zip as *code*."""
        stack = Stack(template, parameters)
        functions = {
            name: json.dumps([properties | {"Code": code}], sort_keys=True)
            for name, properties in stack.of_type("AWS::Lambda::Function").items()
        }
        versions = stack.of_type("AWS::Lambda::Version")
        for name, properties in versions.items():
            declared = json.dumps(properties, sort_keys=True)
            # All properties of a version are create-only: a changed one replaces the resource.
            if self._resources.get(name) != declared:
                self._publish(name, template["Resources"][name]["Properties"]["FunctionName"]["Ref"], functions)
        self._resources = {name: json.dumps(properties, sort_keys=True) for name, properties in versions.items()}
        for alias in (each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Alias"):
            function = alias["Properties"]["FunctionName"]["Ref"]
            (self.aliases[function],) = json.loads(self._published[function][-1])

    def _publish(self, version: str, function: str, functions: Mapping[str, str]) -> None:
        published = self._published.setdefault(function, [])
        if published and published[-1] == functions[function]:
            raise VersionExistsError(version)
        published.append(functions[function])
