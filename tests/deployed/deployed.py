"""The deployed product: the packaged template and the unzipped bundle, with simulated AWS services.

Each function is a process with the credentials of its own role, and IAM is enforced on each of its calls.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3

from infra.local.aws import LocalAws
from infra.local.lambda_async import AsyncInvocations
from infra.local.lambda_invoke import Functions
from infra.local.local_cluster import SomeCluster
from infra.local.local_stack import Stack
from tests.deployed.cloudformation import ACCOUNT
from tests.deployed.cloudformation import Stack as Template
from tests.deployed.execution import Function
from tests.deployed.iam import IamGate
from tests.deployed.lambda_service import LambdaService
from tests.deployed.template_gateway import TemplateGateway

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import ExitStack
    from pathlib import Path

    from infra.local.lambda_invoke import Handler
    from infra.local.lambda_proxy import LambdaContext
    from infra.local.local_cluster import Review

Json = dict[str, Any]


class Deployed(Stack[SomeCluster]):
    """A stack of the template *packaged*; *task* is the unzipped bundle, *runtime* the managed runtime."""

    def __init__(
        self, make_cluster: Callable[[Review], SomeCluster], packaged: Json, task: Path, runtime: Path
    ) -> None:
        super().__init__(make_cluster)
        self.iam = IamGate()
        self.lambdas = LambdaService()
        self.api_gateway = TemplateGateway(self.lambdas)
        self.gateway = self.api_gateway
        self._handlers: dict[str, Handler] = {}
        self.functions = Functions(self._handlers)
        self.aws = LocalAws(self.functions, self.iam.guard)
        self.async_invocations = AsyncInvocations(self.functions, self._send_to_failure_queue)
        self._packaged = packaged
        self._parameters: dict[str, str] = {}
        self._task = task
        self._runtime = runtime

    def fire(self, rule: str) -> list[object]:
        """Invoke the targets of a scheduled rule, and return their results."""
        return [
            self.functions.invoke(target["Arn"].rpartition(":")[2], json.loads(target["Input"]))
            for target in self._template().of_type("AWS::Events::Rule")[rule]["Targets"]
        ]

    def _deploy(self, settings: Mapping[str, str], exit_stack: ExitStack) -> None:
        """Deploy the resources of the template, with *settings* as the parameters of the stack."""
        exit_stack.enter_context(self.lambdas)
        values = {"".join(part.capitalize() for part in name.split("_")): value for name, value in settings.items()}
        # make package sets this default for a configuration with issuers, and the zip has none here.
        values["OwnUserPool"] = "false"
        self._parameters = {name: values[name] for name in self._packaged["Parameters"] if name in values}
        template = self._template()
        shared = template.resolve(self._packaged["Globals"]["Function"]["Environment"]["Variables"])
        roles = template.of_type("AWS::IAM::Role")
        for name, properties in template.of_type("AWS::Serverless::Function").items():
            role = self._packaged["Resources"][name]["Properties"]["Role"]["Fn::GetAtt"][0]
            own = properties.get("Environment", {}).get("Variables", {})
            environment = {key: str(value) for key, value in (shared | own).items()}
            local = {name: settings[name] for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "CONFIGURATION_FILE")}
            self.lambdas.deploy(
                Function(
                    name=name,
                    handler=properties["Handler"],
                    task=self._task,
                    runtime=self._runtime,
                    timeout=properties["Timeout"],
                    memory=properties["MemorySize"],
                    environment=environment | local | self._credentials(role, roles[role]),
                )
            )
            self._handlers[name] = partial(self._invoke, name)
            # make cleanup invokes the function by its name in make run.
            self._handlers[properties["Handler"].split(".")[-2]] = self._handlers[name]
        self.api_gateway.deploy(template)
        self._notify(template)

    def _template(self) -> Template:
        return Template(self._packaged, self._parameters)

    def _invoke(self, name: str, event: Any, context: LambdaContext) -> object:  # noqa: ANN401 - any JSON
        """Invoke a function, and return its result; raise RuntimeError with the name of its error."""
        del context
        outcome = self.lambdas.invoke(name, event)
        if outcome.error:
            raise RuntimeError(outcome.error)
        return json.loads(outcome.body)

    def _notify(self, template: Template) -> None:
        """Configure the bucket notifications of the template."""
        for bucket in template.of_type("AWS::S3::Bucket").values():
            for notification in bucket["NotificationConfiguration"]["LambdaConfigurations"]:
                (rule,) = notification["Filter"]["S3Key"]["Rules"]
                self.aws.notify(notification["Function"].rpartition(":")[2], bucket["BucketName"], rule["Value"])

    def _credentials(self, role: str, properties: Json) -> dict[str, str]:
        """Register the policies of the function's role with the gate, and return credentials of the role."""
        self.iam.policies[role] = [
            statement for policy in properties["Policies"] for statement in policy["PolicyDocument"]["Statement"]
        ]
        trust = json.dumps(properties["AssumeRolePolicyDocument"])
        boto3.client("iam", **self.aws.connection).create_role(RoleName=role, AssumeRolePolicyDocument=trust)
        arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
        sts = boto3.client("sts", **self.aws.connection)
        credentials = sts.assume_role(RoleArn=arn, RoleSessionName="function")["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
        }
