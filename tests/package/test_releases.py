"""Deployments one after the other: each publishes the versions of functions that it needs, and none that exists."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from infra.commands.deploy import release_of
from infra.packaging.cloudformation_yaml import load_cloudformation
from infra.packaging.stack_parameters import complete_parameters
from infra.packaging.template import BUNDLE, RESOURCES, TEMPLATE
from tests.deployed.published_versions import PublishedVersions, VersionExistsError
from tests.package.packaged_template import NAMES, Json, logical, transform
from tests.package.parameters import REQUIRED, other_value
from tests.support.documentation import clone_into

if TYPE_CHECKING:
    from pathlib import Path

DECLARED = load_cloudformation(RESOURCES)["Parameters"]
CHANGEABLE = sorted(DECLARED.keys() - {"Release"})


class Package:
    """A package in a folder, and its transformed template."""

    def __init__(self, folder: Path, template: Json, zipped: bytes = b"zip") -> None:
        folder.mkdir()
        (folder / TEMPLATE).write_text(json.dumps(template))
        (folder / BUNDLE).write_bytes(zipped)
        self.folder, self.zipped = folder, zipped.hex()
        self.transformed = transform(template)

    def deploy_to(self, stack: PublishedVersions, **changed: str) -> str:
        """Deploy as `make deploy` does, and return the release."""
        parameters = complete_parameters(REQUIRED | changed, DECLARED)
        release = release_of(parameters, self.folder)
        stack.deploy(self.transformed, parameters | {"Release": release}, self.zipped)
        return release


@pytest.fixture(scope="module")
def package(packaged: Json, tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Return the package of the stage dev."""
    return Package(tmp_path_factory.mktemp("package") / "dev", packaged)


def releases(stack: PublishedVersions) -> set[str]:
    """Return the releases of the versions that API Gateway invokes."""
    return {function["Environment"]["Variables"]["RELEASE"] for function in stack.aliases.values()}


@pytest.mark.parametrize("name", CHANGEABLE)
def test_one_parameter_can_change(package: Package, name: str) -> None:
    """A deployment that changes only this parameter publishes a version of each function, with the new value."""
    stack = PublishedVersions()
    package.deploy_to(stack)

    release = package.deploy_to(stack, **{name: other_value(name, DECLARED[name])})

    assert releases(stack) == {release}
    assert set(stack.aliases) == {logical(name) for name in NAMES}


def test_unchanged_deployment_publishes_nothing(package: Package) -> None:
    """The same deployment again is an empty change set."""
    stack = PublishedVersions()

    assert package.deploy_to(stack) == package.deploy_to(stack)


def test_template_can_change(package: Package, packaged: Json, tmp_path: Path) -> None:
    """A release that changes an alarm, or one function, can be deployed, and so can the previous one after it."""
    stack = PublishedVersions()
    before = package.deploy_to(stack)
    resources = packaged["Resources"]
    slower = resources["ListJobs"] | {"Properties": resources["ListJobs"]["Properties"] | {"MemorySize": 1024}}
    newer = Package(tmp_path / "newer", packaged | {"Resources": resources | {"ListJobs": slower}})

    after = newer.deploy_to(stack)
    assert (releases(stack), stack.aliases["ListJobs"]["MemorySize"]) == ({after}, 1024)

    package.deploy_to(stack)
    assert (releases(stack), stack.aliases["ListJobs"]["MemorySize"]) == ({before}, 512)


def test_the_model_fails_as_lambda_does(package: Package) -> None:
    """A description alone publishes no version, for which CloudFormation's update fails."""
    stack = PublishedVersions()
    template = json.loads(json.dumps(package.transformed))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            del resource["Properties"]["Environment"]["Variables"]["RELEASE"]
    stack.deploy(template, REQUIRED, "zip")

    with pytest.raises(VersionExistsError):
        stack.deploy(template, REQUIRED | {"Release": "second"}, "zip")


def test_clones_package_the_same(tmp_path: Path) -> None:
    """Two fresh clones package the same bytes, whatever the parameters: only parameters make two releases of them."""
    packages = []
    for name in ("first", "second"):
        clone_into(tmp_path / name)
        command = [".venv/bin/python", "-m", "infra.packaging", "--stage", "dev", "--out", "build/dev"]
        subprocess.run(command, cwd=tmp_path / name, check=True, capture_output=True)
        packages.append(tmp_path / name / "build" / "dev")

    first, second = ({path.name: path.read_bytes() for path in sorted(folder.iterdir())} for folder in packages)
    assert first == second
    assert len({release_of({"A": value}, folder) for folder in packages for value in "xy"}) == 2
