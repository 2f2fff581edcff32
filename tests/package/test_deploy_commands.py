"""The documentation's commands for AWS, which cannot be run here: compared with the models of the AWS CLI."""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import botocore.session
import pytest
from botocore import xform_name

from chalicelib.configuration import decode
from infra.packaging.template import stage_names
from tests.support.documentation import PAGES, ROOT, Fence, fences

if TYPE_CHECKING:
    from tests.package.packaged_template import Json

MAKEFILE = (ROOT / "Makefile").read_text().replace("\\\n", "").splitlines()
COMMANDS = [line.strip() for block in fences("console") for line in block.text.splitlines()] + [
    line.strip() for line in MAKEFILE if "\taws " in line
]
GLOBAL_OPTIONS = {"--query", "--output"}
RENAMED = {("sns", "subscribe"): {"--notification-endpoint"}}
"""Options that are not members of an operation's input: the CLI has its own --endpoint."""
CLI_COMMANDS = {
    ("cloudformation", "deploy"): {
        "--capabilities", "--no-fail-on-empty-changeset", "--parameter-overrides", "--s3-bucket", "--s3-prefix",
        "--stack-name", "--template-file",
    },
    ("cloudformation", "package"): {
        "--output-template-file", "--s3-bucket", "--s3-prefix", "--template-file", "--use-json",
    },
    ("s3", "cp"): set(),
}  # fmt: skip
"""Commands that the CLI adds to those of the services, and their options that the README uses."""
AWS = [command for command in COMMANDS if command.startswith("aws ")]


def operations(service: str) -> dict[str, set[str]]:
    """Return the CLI's commands for a service, each with its options."""
    model = botocore.session.get_session().get_service_model(service)
    found = {}
    for name in model.operation_names:
        shape = model.operation_model(name).input_shape
        members = shape.members if shape else ()
        found[xform_name(name, "-")] = {f"--{xform_name(member, '-')}" for member in members}
    return found


@pytest.mark.parametrize("command", AWS)
def test_command_is_valid(command: str) -> None:
    """Service, operation and every option exist."""
    _, service, operation, *rest = shlex.split(command)
    options = {word for word in rest if word.startswith("--")} - GLOBAL_OPTIONS
    own = CLI_COMMANDS.get((service, operation))
    known = operations(service)[operation] if own is None else own

    assert sorted(options - known - RENAMED.get((service, operation), set())) == []


@pytest.mark.parametrize("fence", [each for each in fences("jsonc") if each.page.endswith("deploy.md")], ids=str)
def test_shown_configuration_is_valid(fence: Fence) -> None:
    """It is the configuration that the functions decode."""
    assert decode(fence.text.encode()).cluster_authorities


def test_walk_deploys_what_there_is(packaged: Json) -> None:
    """A stage of .chalice/config.json, and the parameters that CloudFormation would ask for."""
    (shown,) = fences("ini")
    (stage,) = re.findall(r"make deploy STAGE=(\S+)", PAGES["docs/operate/deploy.md"])
    asked = {name for name, parameter in packaged["Parameters"].items() if "Default" not in parameter}

    assert set(re.findall(r"^(\w+)=", shown.text, re.MULTILINE)) == asked
    assert (stage in stage_names(), len(AWS) >= 10) == (True, True)


@pytest.mark.parametrize(
    ("variables", "missing"),
    [
        ("", "ARTIFACTS=<bucket>"),
        ("ARTIFACTS=acme", "The file nowhere.json"),
        ("ARTIFACTS=acme CONFIGURATION=Makefile", "The file nowhere"),
    ],
    ids=["no bucket", "no configuration", "no parameters"],
)
def test_deploy_requires_variables(variables: str, missing: str) -> None:
    """Without a required variable, the command fails before it uploads anything."""
    recipe = ["make", "--silent", "--old-file=package", "deploy", "STAGE=dev", "PARAMETERS=nowhere"]
    recipe += ["CONFIGURATION=nowhere.json", *variables.split()]
    result = subprocess.run(recipe, cwd=ROOT, check=False, capture_output=True, text=True)

    assert result.returncode != 0
    assert missing in result.stderr
