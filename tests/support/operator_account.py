"""What an operator's credentials show of a deployment: EKS and CloudFormation on loopback, beside the local AWS.

moto lacks access entries, add-ons and the resources of our template, so both services answer from documents that a test
may change. botocore parses the answers by the models of the services.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from infra.local.http_server import Handler, LoopbackServer
from infra.local.wire import HttpResponse

if TYPE_CHECKING:
    from infra.local.wire import Headers

Document = dict[str, Any]

XML = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
NOT_FOUND = HttpResponse(404, [("X-Amzn-ErrorType", "ResourceNotFoundException")], b'{"message": "none"}')


class OperatorAccount(Handler):
    """One EKS cluster with its access entries, node groups and add-ons, and one CloudFormation stack."""

    def __init__(self, cluster: Document, stack: Document) -> None:
        self.cluster = cluster
        self.entries: dict[str, Document] = {}
        self.policies: dict[str, list[Document]] = {}
        self.nodegroups: dict[str, Document] = {}
        self.addons: dict[str, Document] = {}
        self.stack = stack
        self.resources: list[tuple[str, str]] = []
        self.denied: set[str] = set()
        self._server = LoopbackServer(self)

    def __enter__(self) -> Self:
        """Return the account, which already listens."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._server.close()

    @property
    def url(self) -> str:
        """The endpoint of both services."""
        return self._server.url

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Answer one request of an AWS SDK."""
        del method, headers
        parts = [unquote(part) for part in target.partition("?")[0].strip("/").split("/")]
        if parts[0] != "clusters":
            return self._cloudformation(parse_qs(body.decode())["Action"][0])
        if parts[1] != self.cluster["name"]:
            return NOT_FOUND
        found = self._eks(parts[2:])
        if self.denied & set(parts):
            return HttpResponse(403, [("X-Amzn-ErrorType", "AccessDeniedException")], b'{"message": "denied"}')
        return NOT_FOUND if found is None else HttpResponse(200, [], json.dumps(found).encode())

    def _eks(self, parts: list[str]) -> Document | None:
        documents: dict[str, Document | None] = {
            "": {"cluster": self.cluster},
            "access-entries": {"accessEntries": [*self.entries]},
            "node-groups": {"nodegroups": [*self.nodegroups]},
            "addons": {"addons": [*self.addons]},
        }
        for arn, entry in self.entries.items():
            documents[f"access-entries {arn}"] = {"accessEntry": entry}
            documents[f"access-entries {arn} access-policies"] = {
                "associatedAccessPolicies": self.policies.get(arn, [])
            }
        documents |= {f"node-groups {name}": {"nodegroup": each} for name, each in self.nodegroups.items()}
        documents |= {f"addons {name}": {"addon": each} for name, each in self.addons.items()}
        return documents.get(" ".join(parts))

    def _cloudformation(self, action: str) -> HttpResponse:
        if not self.stack:
            error = "<Error><Code>ValidationError</Code><Message>Stack does not exist</Message></Error>"
            return HttpResponse(400, [], f'<ErrorResponse xmlns="{XML}">{error}</ErrorResponse>'.encode())
        result = self._stack() if action == "DescribeStacks" else self._resources()
        xml = f'<{action}Response xmlns="{XML}"><{action}Result>{result}</{action}Result></{action}Response>'
        return HttpResponse(200, [("Content-Type", "text/xml")], xml.encode())

    def _stack(self) -> str:
        return f"<Stacks>{_member(self.stack)}</Stacks>"

    def _resources(self) -> str:
        summaries = [
            {
                "ResourceType": kind,
                "PhysicalResourceId": name,
                "LogicalResourceId": name,
                "ResourceStatus": "CREATE_COMPLETE",
            }
            for kind, name in self.resources
        ]
        return f"<StackResourceSummaries>{''.join(map(_member, summaries))}</StackResourceSummaries>"


def _member(fields: Document) -> str:
    return f"<member>{''.join(f'<{name}>{_value(value)}</{name}>' for name, value in fields.items())}</member>"


def _value(value: object) -> str:
    return "".join(map(_member, value)) if isinstance(value, list) else escape(str(value))
