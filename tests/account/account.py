"""The account: one HTTP server for all services, which finds the service in the signature of each request."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from infra.local.client_credentials import Application
from infra.local.http_server import LoopbackHandler
from infra.local.wire import HttpResponse
from tests.account.query import CloudFormation
from tests.account.s3 import Buckets
from tests.account.stacks import DeployedStack, Names, Stacks
from tests.deployed.cloudformation import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from infra.local.wire import Headers, HttpSyntaxError

Json = dict[str, Any]

ARTIFACTS = "acme-artifacts"
_SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]*/([^/]+)/aws4_request")


_IDENTITY = (
    "<GetCallerIdentityResponse><GetCallerIdentityResult>"
    f"<Arn>arn:aws:iam::{ACCOUNT}:user/platform</Arn><UserId>AIDAEXAMPLE</UserId><Account>{ACCOUNT}</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


class ServiceError(Exception):
    """A request that a service refuses; the text is its error code."""


class Account(LoopbackHandler):
    """An account with *cluster*, the answer of DescribeCluster, and *buckets*.

    *outputs* returns outputs of a new stack that the template cannot know.
    """

    def __init__(
        self,
        cluster: Mapping[str, Any],
        outputs: Callable[[DeployedStack], dict[str, str]] = lambda _: {},
        buckets: Sequence[str] = (ARTIFACTS,),
    ) -> None:
        self.names: Names = set()
        self.stacks = Stacks(self.names, outputs)
        self.s3 = Buckets(*buckets)
        self.cloudformation = CloudFormation(self.stacks, self.s3)
        self.calls: list[str] = []
        self.scopes: dict[str, list[str]] = {}
        self.interruptions: list[Callable[[], object]] = []
        """What others do just after an update of a resource server, the last one first."""
        self.clients: dict[str, tuple[str, list[str]]] = {}
        self.applications: dict[str, Application] = {}
        """The same clients for a token issuer on loopback."""
        self._cluster = dict(cluster)

    def environment(self) -> dict[str, str]:
        """Return the variables for the AWS CLI."""
        return {
            "AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "local", "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PAGER": "",
        }  # fmt: skip

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Return the response to one request."""
        sent = {name.lower(): value for name, value in headers}
        match = _SERVICE.search(sent.get("authorization", ""))
        service = match[1] if match else "none"
        if service == "s3":
            return self.s3.answer(method, target, headers, body)
        if service == "sts":
            return HttpResponse(200, [], _IDENTITY.encode())
        if service == "cloudformation":
            form = dict(parse_qsl(body.decode(), keep_blank_values=True))
            self.calls.append(f"cloudformation:{form['Action']}")
            return self.cloudformation.answer(form)
        path = unquote(target.partition("?")[0])
        operation = sent.get("x-amz-target", f"{service}.{method} {path}").rpartition(".")[2]
        self.calls.append(f"{service}:{operation}")
        try:
            found = self._operation(service, operation, json.loads(body or b"{}"))
        except ServiceError as error:
            return HttpResponse(400, [("x-amzn-errortype", str(error))], json.dumps({"__type": str(error)}).encode())
        return HttpResponse(200, [("Content-Type", "application/json")], json.dumps(found).encode())

    def refuse(self, error: HttpSyntaxError) -> HttpResponse:
        """Return the response to a malformed request."""
        return HttpResponse(400, [], error.detail.encode())

    def _operation(self, service: str, operation: str, document: Json) -> Json:
        if service == "eks":
            return self._eks(operation, document)
        if service == "cognito-idp":
            return self._cognito(operation, document)
        raise ServiceError(f"{service}:{operation}")

    def _eks(self, operation: str, document: Json) -> Json:
        name = self._cluster["name"]
        if operation == f"GET /clusters/{name}":
            return {"cluster": self._cluster}
        if operation == f"POST /clusters/{name}/update-config":
            self._cluster["accessConfig"] = document["accessConfig"]
            return {"update": {"id": "1", "status": "InProgress"}}
        raise ServiceError("ResourceNotFoundException")

    def _cognito(self, operation: str, document: Json) -> Json:
        pool = document["UserPoolId"]
        if pool not in {stack.outputs.get("UserPoolId") for stack in self.stacks.by_name.values()}:
            raise ServiceError("ResourceNotFoundException")
        if operation == "CreateResourceServer":
            return {"ResourceServer": self._resource_server(pool, document)}
        if operation in {"DescribeResourceServer", "UpdateResourceServer"} and pool not in self.scopes:
            raise ServiceError("ResourceNotFoundException")
        if operation == "DescribeResourceServer":
            return {"ResourceServer": self._resource_server(pool, {"Scopes": self._scopes(pool)})}
        if operation == "UpdateResourceServer":
            server = self._resource_server(pool, document)
            if self.interruptions:
                self.interruptions.pop()()
            return {"ResourceServer": server}
        if operation == "CreateUserPoolClient":
            return self._create_client(pool, document)
        raise ServiceError(operation)

    def _resource_server(self, pool: str, document: Json) -> Json:
        """Replace all scopes, as Cognito does, and return the resource server."""
        self.scopes[pool] = [each["ScopeName"] for each in document.get("Scopes", [])]
        return {"UserPoolId": pool, "Identifier": "researcher", "Name": "Groups", "Scopes": self._scopes(pool)}

    def _scopes(self, pool: str) -> list[Json]:
        return [{"ScopeName": each, "ScopeDescription": each} for each in self.scopes.get(pool, [])]

    def _create_client(self, pool: str, document: Json) -> Json:
        if not {each.removeprefix("researcher/") for each in document["AllowedOAuthScopes"]} <= {*self.scopes[pool]}:
            raise ServiceError("ScopeDoesNotExistException")
        identifier, secret = secrets.token_hex(13), secrets.token_hex(26)
        self.clients[identifier] = (secret, document["AllowedOAuthScopes"])
        groups = tuple(each.removeprefix("researcher/") for each in document["AllowedOAuthScopes"])
        self.applications[identifier] = Application(secret, groups)
        return {
            "UserPoolClient": {"ClientId": identifier, "ClientSecret": secret, "ClientName": document["ClientName"]}
        }
