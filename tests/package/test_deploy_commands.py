"""The documentation's commands for AWS, which cannot be run here: compared with the models of the AWS CLI."""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import botocore.session
import msgspec
import pytest
from botocore import xform_name

from chalicelib.configuration import Configuration
from chalicelib.domain.token_issuer import TokenIssuer
from infra.packaging.template import stage_names
from tests.support.documentation import PAGES, ROOT, fences

if TYPE_CHECKING:
    from tests.package.packaged_template import Json

_SUBSTITUTED = re.compile(r"\$\((aws [^()]*)\)")
LINES = [line.strip() for block in fences("console") for line in block.text.splitlines()]
COMMANDS = [
    *(_SUBSTITUTED.sub("value", line) for line in LINES),
    *(command for line in LINES for command in _SUBSTITUTED.findall(line)),
]
"""The commands, and those whose output is part of another command."""
GLOBAL_OPTIONS = {"--query", "--output"}
RENAMED = {("sns", "subscribe"): {"--notification-endpoint"}}
"""Options that are not members of an operation's input: the CLI has its own --endpoint."""
CLI_COMMANDS = {
    ("cloudformation", "deploy"): {
        "--capabilities", "--no-fail-on-empty-changeset", "--parameter-overrides", "--s3-bucket", "--s3-prefix",
        "--stack-name", "--template-file",
    },
    ("s3", "cp"): set(),
    ("s3", "mb"): set(),
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
    known = operations(service.removesuffix("api"))[operation] if own is None else own

    assert sorted(options - known - RENAMED.get((service, operation), set())) == []


def test_pool_of_an_earlier_stack_is_trusted_as_before() -> None:
    """The entry of the page accepts the same tokens, with the same groups, as the pool of a stack."""
    (shown,) = (block.text for block in fences("jsonc") if block.page == "docs/operate/upgrade.md")
    entry = msgspec.json.decode(shown, type=TokenIssuer)

    assert entry == Configuration(cluster_authorities=("a",)).user_pool(entry.issuer)


def test_walk_deploys_what_there_is(packaged: Json) -> None:
    """A stage of .chalice/config.json, and the parameters that CloudFormation would ask for."""
    (shown,) = (block for block in fences("console") if "ClusterEndpoint" in block.text)
    (stage,) = set(re.findall(r"make deploy STAGE=(\S+)", PAGES["docs/operate/deploy.md"]))
    asked = {name for name, parameter in packaged["Parameters"].items() if "Default" not in parameter}

    assert set(re.findall(r"^([A-Z]\w+):", shown.text, re.MULTILINE)) == asked
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
