"""`python -m infra.commands.deploy`: upload a package and create or update its stack with the AWS CLI.

`make deploy` runs it. Options after `--` are options of `aws cloudformation deploy`, such as --role-arn or --tags.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from infra.packaging.stack_parameters import RELEASE, ParametersError, complete_parameters, read_parameters
from infra.packaging.template import BUNDLE, TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OUTPUTS = "Stacks[0].Outputs[].[OutputKey, OutputValue]"
FAILURES = "StackEvents[?ends_with(ResourceStatus, 'FAILED')].[Timestamp, LogicalResourceId, ResourceStatusReason]"
CONNECTION = ("--profile", "--region", "--endpoint-url", "--ca-bundle")
"""Options of every command of the AWS CLI."""
UPLOAD = ("--kms-key-id",)
"""Options of both commands that upload a file."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy, and print the outputs of the stack; return the status of the first command that fails."""
    options = _parser().parse_args(arguments)
    try:
        values = _values(options.package, options.parameters)
    except (ParametersError, FileNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with TemporaryDirectory() as folder:  # only its owner may read it
        overrides = Path(folder) / "parameters.json"
        # Both versions of the AWS CLI read this form.
        overrides.write_text(json.dumps([f"{name}={value}" for name, value in values.items()]), encoding="utf-8")
        return _deploy(options, overrides)


def release_of(parameters: Mapping[str, str], package: Path) -> str:
    """Return a digest of everything that a deployment of the folder *package* consists of."""
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode())
    for name in (TEMPLATE, BUNDLE):
        digest.update(hashlib.sha256((package / name).read_bytes()).digest())
    return digest.hexdigest()[:16]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.commands.deploy", description=__doc__)
    parser.add_argument("--package", required=True, type=Path, help="the folder that make package has written")
    parser.add_argument("--stack", required=True, help="the name of the stack")
    parser.add_argument("--artifacts", required=True, help="a bucket for the zip, in the region of the stack")
    parser.add_argument("--parameters", required=True, type=Path, help="a JSON or YAML file")
    parser.add_argument("options", nargs="*", help="options of aws cloudformation deploy")
    return parser


def _values(package: Path, file: Path) -> dict[str, str]:
    if not file.is_file():
        raise ParametersError(
            f"The file {file} with the parameters of the stack does not exist; docs/operate/deploy.md has an example."
        )
    declared = json.loads((package / TEMPLATE).read_text(encoding="utf-8"))["Parameters"]
    values = complete_parameters(read_parameters(file), declared)
    return values | {RELEASE: release_of(values, package)}


def _deploy(options: argparse.Namespace, overrides: Path) -> int:
    uploaded = overrides.with_name("uploaded.json")
    connection, upload = (_given(options.options, names) for names in (CONNECTION, UPLOAD))
    target = ["--s3-bucket", options.artifacts, "--s3-prefix", options.stack]
    stack = ["--stack-name", options.stack]
    package = [
        "--template-file",
        str(options.package / TEMPLATE),
        "--use-json",
        "--output-template-file",
        str(uploaded),
    ]
    deploy = ["--template-file", str(uploaded), "--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset"]
    parameters = ["--parameter-overrides", f"file://{overrides}"]
    status = _aws("package", *package, *target, *upload, *connection)
    if status:
        return status
    status = _aws("deploy", *deploy, *stack, *target, *parameters, *options.options)
    if status:
        # The newest events first; an older deployment may have failed, too.
        events = ["--max-items", "60", "--query", FAILURES, "--output", "text"]
        _aws("describe-stack-events", *stack, *events, *connection)
        return status
    return _aws("describe-stacks", *stack, "--query", OUTPUTS, "--output", "text", *connection)


def _given(options: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the options of *names* that are among *options*, with their values."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in names:
        parser.add_argument(name)
    found = vars(parser.parse_known_args(options)[0])
    return [f"--{name.replace('_', '-')}={value}" for name, value in found.items() if value is not None]


def _aws(command: str, *arguments: str) -> int:
    """Run a command of `aws cloudformation`, and return its status."""
    try:
        return subprocess.run(["aws", "cloudformation", command, *arguments], check=False).returncode  # noqa: S603, S607
    except FileNotFoundError:
        sys.stderr.write("The AWS CLI is required: the command aws was not found.\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
