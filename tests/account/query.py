"""The part of CloudFormation's query API that `aws cloudformation package`, `deploy` and `describe-stacks` call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

import yaml

from infra.local.wire import HttpResponse
from infra.packaging.cloudformation_yaml import CloudFormationYaml
from tests.account.stacks import DeployedStack, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.account.s3 import Buckets
    from tests.account.stacks import Stacks

Json = dict[str, Any]
Form = dict[str, str]

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


class CloudFormation:
    """Responds to the requests. `sent` has the parameters of each change set, as they were sent."""

    def __init__(self, stacks: Stacks, s3: Buckets) -> None:
        self.sent: list[dict[str, str | None]] = []
        self._stacks = stacks
        self._s3 = s3
        self._changes: dict[str, tuple[Json, dict[str, str]]] = {}

    def answer(self, form: Form) -> HttpResponse:
        """Return the response to one request."""
        action = form["Action"]
        try:
            result = getattr(self, f"_{action}")(form)
        except RefusedError as error:
            body = f"<Code>ValidationError</Code><Message>{escape(str(error))}</Message>"
            return HttpResponse(400, [], f"<ErrorResponse><Error>{body}</Error></ErrorResponse>".encode())
        return HttpResponse(
            200, [], f"<{action}Response><{action}Result>{result}</{action}Result></{action}Response>".encode()
        )

    def _DescribeStacks(self, form: Form) -> str:  # noqa: N802 - the name of the operation
        stack = self._stacks.find(form["StackName"])
        outputs = [_xml({"OutputKey": key, "OutputValue": value}) for key, value in stack.outputs.items()]
        fields = {"StackName": stack.name, "StackId": stack.id, "StackStatus": stack.status}
        times = "<CreationTime>2026-01-01T00:00:00Z</CreationTime>"
        return f"<Stacks><member>{_xml(fields)}{times}<Outputs>{_members(outputs)}</Outputs></member></Stacks>"

    def _GetTemplateSummary(self, form: Form) -> str:  # noqa: N802
        declared = self._stacks.find(form["StackName"]).template["Parameters"]
        return f"<Parameters>{_members(_xml({'ParameterKey': key}) for key in declared)}</Parameters>"

    def _CreateChangeSet(self, form: Form) -> str:  # noqa: N802
        name = form["StackName"]
        stack = self._stacks.by_name.setdefault(name, DeployedStack(name))
        if stack.status == "ROLLBACK_COMPLETE":
            raise RefusedError(f"Stack:{stack.id} is in ROLLBACK_COMPLETE state and can not be updated.")
        given = _parameters(form)
        self.sent.append(given)
        template = self._template(form)
        parameters = self._stacks.check(stack, template, given)
        stack.role = form.get("RoleARN", stack.role)
        stack.tags = {
            form[f"Tags.member.{n}.Key"]: form[f"Tags.member.{n}.Value"] for n in _numbers(form, "Tags", "Key")
        }
        self._changes[name] = template, parameters
        return _xml({"Id": f"arn:aws:cloudformation:change/{name}", "StackId": stack.id})

    def _DescribeChangeSet(self, form: Form) -> str:  # noqa: N802
        stack = self._stacks.find(form["StackName"])
        if self._changes[stack.name] == (stack.template, stack.parameters):
            return _xml({"Status": "FAILED", "StatusReason": NO_CHANGES})
        return _xml({"Status": "CREATE_COMPLETE"})

    def _ExecuteChangeSet(self, form: Form) -> str:  # noqa: N802
        stack = self._stacks.find(form["StackName"])
        self._stacks.deploy(stack, *self._changes[stack.name])
        return ""

    def _DescribeStackEvents(self, form: Form) -> str:  # noqa: N802
        events = self._stacks.find(form["StackName"]).events
        fields = (each.partition(" ") for each in events)
        time = "<Timestamp>2026-01-01T00:00:00Z</Timestamp>"
        return "<StackEvents>{}</StackEvents>".format(
            _members(
                _xml({"LogicalResourceId": "Resource", "ResourceStatus": status, "ResourceStatusReason": reason}) + time
                for status, _, reason in fields
            )
        )

    def _ListStackResources(self, form: Form) -> str:  # noqa: N802
        resources = self._stacks.find(form["StackName"]).template["Resources"]
        fields = (
            {"LogicalResourceId": name, "PhysicalResourceId": name, "ResourceType": "AWS::Lambda::Function"}
            for name, each in resources.items()
            if each["Type"] == "AWS::Serverless::Function"
        )
        return f"<StackResourceSummaries>{_members(map(_xml, fields))}</StackResourceSummaries>"

    def _DeleteStack(self, form: Form) -> str:  # noqa: N802
        self._stacks.delete(form["StackName"])
        return ""

    def _template(self, form: Form) -> Json:
        """Return the template in the body or, for larger ones, in S3."""
        text = form.get("TemplateBody")
        if text is None:
            text = self._s3.objects[unquote(urlsplit(form["TemplateURL"]).path).removeprefix("/")].decode()
        elif len(text) > 51200:
            raise RefusedError("The template is too long for TemplateBody")
        loaded: Json = json.loads(text) if text.startswith("{") else yaml.load(text, CloudFormationYaml)  # noqa: S506
        return loaded


def _parameters(form: Form) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for number in _numbers(form, "Parameters", "ParameterKey"):
        start = f"Parameters.member.{number}."
        found[form[f"{start}ParameterKey"]] = form.get(f"{start}ParameterValue")
    return found


def _numbers(form: Mapping[str, str], name: str, key: str) -> list[int]:
    return [number for number in range(1, 200) if f"{name}.member.{number}.{key}" in form]


def _xml(fields: Mapping[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())


def _members(items: Any) -> str:  # noqa: ANN401 - any iterable of strings
    return "".join(f"<member>{item}</member>" for item in items)
