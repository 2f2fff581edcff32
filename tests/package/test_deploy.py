"""`make deploy` with the real AWS CLI, against a model of S3 and CloudFormation."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.uploads.s3_event import SUBMIT
from infra.commands.deploy import main
from infra.packaging.template import BUNDLE, TEMPLATE
from tests.account.account import ARTIFACTS, Account
from tests.package.parameters import REQUIRED
from tests.support.documentation import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.package.packaged_template import Json

HARD = {
    "CleanupSchedule": "cron(0/30 * * * ? *)",
    "AnnounceSchedule": "rate(2 minutes)",
    "TokenUrl": "https://issuer.example/realms/a b?x='1'&y=\"2\"",
    "DocumentationUrl": "api://one,api://two, three",
    "ClusterName": "ünïcode; rm -rf * $(touch hacked) `touch hacked` $HOME \\ * ~ = !",
}
"""Values with spaces, commas, globs, quotes and everything that a shell would interpret."""


@pytest.fixture
def account() -> Iterator[Account]:
    """Start an empty account."""
    account = Account({"name": "gpu-east"})
    account.start()
    yield account
    account.close()


class Deployer:
    """Runs the command with a package in *folder*, which has not changed since."""

    def __init__(self, folder: Path, packaged: Json, printed: pytest.CaptureFixture[str]) -> None:
        self.folder, self._printed = folder, printed
        (folder / TEMPLATE).write_text(json.dumps(packaged))
        (folder / BUNDLE).write_bytes(b"PK\x05\x06" + bytes(18))

    def __call__(self, values: object, *options: str, name: str = "p.json") -> tuple[int, str]:
        """Deploy with *values* as the parameters, and return the status and the output."""
        arguments = ["--package", str(self.folder), "--stack", "researcher-dev", "--artifacts", ARTIFACTS]
        status = main([*arguments, "--parameters", str(self.write(values, name)), "--", *options])
        return status, "".join(self._printed.readouterr())

    def write(self, values: object, name: str = "p.json") -> Path:
        """Write the file of the parameters."""
        (self.folder / name).write_text(json.dumps(values))
        return self.folder / name


@pytest.fixture
def deploy(
    account: Account,
    tmp_path: Path,
    packaged: Json,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Deployer:
    """Return the command."""
    for variable, value in (account.environment() | {"PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"}).items():
        monkeypatch.setenv(variable, value)
    return Deployer(tmp_path, packaged, capfd)


class TestValues:
    """The values of the parameters."""

    @pytest.mark.parametrize("name", ["p.json", "p.yaml"])
    def test_arrive_as_they_are(self, deploy: Deployer, account: Account, name: str) -> None:
        """Every parameter of the template is sent, with exactly the text of the file or its default."""
        status, output = deploy(
            REQUIRED | HARD | {"Preflight": "on", "CleanupDryRun": False, "SubnetIds": ["a", "b"]}, name=name
        )

        assert status == 0, output
        (sent,) = account.cloudformation.sent
        declared = account.stacks.by_name["researcher-dev"].template["Parameters"]
        release = sent.pop("Release")
        expected = {
            key: str(each["Default"]) for key, each in declared.items() if "Default" in each and key != "Release"
        }
        expected |= REQUIRED | HARD | {"Preflight": "on", "CleanupDryRun": "false", "SubnetIds": "a,b"}
        assert sent == expected
        assert release not in {None, "first"}
        assert "BaseUrl" in output

    def test_removed_line_is_the_default_again(self, deploy: Deployer, account: Account) -> None:
        """A value that is removed from the file does not stay, and the same file again changes nothing."""
        deploy(REQUIRED | HARD)
        status, _ = deploy(REQUIRED)
        again, output = deploy(REQUIRED)

        assert (status, again) == (0, 0)
        assert "No changes to deploy" in output
        assert account.stacks.by_name["researcher-dev"].parameters["CleanupSchedule"] == "rate(1 hour)"

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({}, "ClusterName is missing: The name of the EKS cluster"),
            (REQUIRED | {"Typo": "x"}, "Typo is not a parameter of the stack."),
            (REQUIRED | {"Release": "x"}, "Release is set by make deploy."),
            (REQUIRED | {"ClusterExternalId": "short"}, "ClusterExternalId is invalid: it must have at least 16"),
            (REQUIRED | {"CleanupSchedule": "hourly"}, "CleanupSchedule is invalid: it must match"),
            (REQUIRED | {"DeadlineSeconds": 26}, "DeadlineSeconds is invalid: it must be an integer and be at least 1"),
            (REQUIRED | {"CleanupMaxDeletions": 1.5}, "CleanupMaxDeletions is invalid: it must be an integer"),
            (
                REQUIRED | {"RequestsPerSecondPerOperation": 0.5},
                "RequestsPerSecondPerOperation is invalid: it must match",
            ),
            (REQUIRED | {"GetJobConcurrency": "0"}, "GetJobConcurrency is invalid: it must match"),
            (REQUIRED | {"UploaderArns": "arn:aws:iam::123456789012:role/*"}, "UploaderArns is invalid: it must match"),
            (REQUIRED | {"Preflight": "maybe"}, "Preflight is invalid: it must be one of on, strict, off."),
            (REQUIRED | {"SubnetIds": {"a": "b"}}, "SubnetIds must be a string, a number, true, false or a list"),
            ([], "must be a mapping of parameters to values"),
        ],
        ids=lambda value: value.partition(" ")[0] if isinstance(value, str) else "",
    )
    def test_invalid_ones_are_refused(
        self, deploy: Deployer, account: Account, values: Mapping[str, object], message: str
    ) -> None:
        """Nothing is uploaded, and the message names the parameter but never its value."""
        status, output = deploy(values)

        assert status != 0
        assert message in output
        assert "short" not in output
        assert (account.calls, account.s3.objects) == ([], {})


class TestOptions:
    """DEPLOY_OPTIONS."""

    def test_are_those_of_the_aws_cli(self, deploy: Deployer, account: Account) -> None:
        """Role, tags with spaces and a key for the uploads reach the AWS CLI."""
        key = "arn:aws:kms:eu-west-1:123456789012:key/1"
        options = (
            f"--role-arn arn:aws:iam::123456789012:role/deployer --tags team=ml 'cost centre=a b' --kms-key-id {key}"
        )
        variables = {
            "PACKAGE": deploy.folder,
            "PARAMETERS": deploy.write(REQUIRED),
            "ARTIFACTS": ARTIFACTS,
            "CONFIGURATION": "Makefile",
        }
        command = ["make", "--silent", "--old-file=package", "deploy", f"DEPLOY_OPTIONS={options}"]

        command += [f"{name}={value}" for name, value in variables.items()]
        ran = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)

        status, output = ran.returncode, ran.stdout + ran.stderr
        stack = account.stacks.by_name["researcher-dev"]
        assert status == 0, output
        assert (stack.role, stack.tags) == (
            "arn:aws:iam::123456789012:role/deployer",
            {"team": "ml", "cost centre": "a b"},
        )
        keys = {each["x-amz-server-side-encryption-aws-kms-key-id"] for each in account.s3.headers.values()}
        assert (keys, len(account.s3.objects)) == ({key}, 2)

    def test_change_set_can_be_reviewed(self, deploy: Deployer, account: Account) -> None:
        """With --no-execute-changeset nothing is deployed."""
        assert deploy(REQUIRED, "--no-execute-changeset")[0] == 0
        assert account.stacks.by_name["researcher-dev"].status == "REVIEW_IN_PROGRESS"


class TestRemoval:
    """A stack that was deleted, or never created."""

    def test_nothing_of_a_failed_first_deployment_stays(self, deploy: Deployer, account: Account) -> None:
        """After a rollback of the first deployment, the next one does not fail for a resource of the same name."""
        status, output = deploy(REQUIRED | {"AccessLog": True})
        assert (status != 0, "CloudWatch Logs role ARN must be set" in output) == (True, True)

        account.stacks.delete("researcher-dev")
        assert deploy(REQUIRED)[0] == 0

    def test_bucket_of_a_deleted_stack_can_be_used(self, deploy: Deployer, account: Account) -> None:
        """A bucket that a deleted stack has retained needs CreateUploadsBucket=false, and stays."""
        bucket = ("AWS::S3::Bucket", REQUIRED["UploadsBucket"])
        deploy(REQUIRED)
        account.stacks.delete("researcher-dev")
        assert bucket in account.names
        assert "already exists" in deploy(REQUIRED)[1]

        account.stacks.delete("researcher-dev")
        assert deploy(REQUIRED | {"CreateUploadsBucket": False})[0] == 0

        outputs = account.stacks.by_name["researcher-dev"].outputs
        (notification,) = json.loads(outputs["UploadsNotification"])["LambdaFunctionConfigurations"]
        assert notification["LambdaFunctionArn"].endswith(":function:SubmitUpload")
        assert notification["Filter"]["Key"]["FilterRules"] == [{"Name": "prefix", "Value": SUBMIT}]
        account.stacks.delete("researcher-dev")
        assert bucket in account.names


class TestFailures:
    """Deployments that fail."""

    def test_print_the_reason(self, deploy: Deployer, account: Account) -> None:
        """The reason of the resource that failed is printed, and the status is an error."""
        account.names.add(("AWS::S3::Bucket", REQUIRED["UploadsBucket"]))

        status, output = deploy(REQUIRED)

        assert status != 0
        assert "acme-gpu-east-researcher already exists" in output

    def test_aws_cli_is_required(self, deploy: Deployer, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the AWS CLI, an error names it."""
        monkeypatch.setenv("PATH", "")

        status, output = deploy(REQUIRED)

        assert (status, "The AWS CLI is required" in output) == (1, True)
