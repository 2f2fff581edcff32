"""What the checks read: the operator's view of the AWS account, and of the cluster by a kubeconfig."""

from __future__ import annotations

import json
import os
import ssl
from functools import cached_property
from http import HTTPStatus
from typing import Any

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError
from kubernetes import config
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from urllib3.util.ssl_ import create_urllib3_context

Document = dict[str, Any]
JSON = {"Accept": "application/json"}

CONNECT_SECONDS, READ_SECONDS = 3, 12
SELF_CHECK = "SelfCheckName"
"""The output of the stack that names the function `self_check`."""


class Aws:
    """The stack and its AWS account, with the operator's credentials from boto3's configuration."""

    def __init__(self, stack: str) -> None:
        self.name = stack
        self._config = Config(
            connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1}
        )

    def call(self, service: str, operation: str, **parameters: object) -> Document:
        """Return the response of one operation; raises the errors of botocore."""
        client = boto3.client(service, config=self._config)
        response: Document = getattr(client, operation)(**parameters)
        return response

    def pages(self, service: str, operation: str, items: str, **parameters: object) -> list[Any]:
        """Return the items of all pages of an operation."""
        client = boto3.client(service, config=self._config)
        found = client.get_paginator(operation).paginate(**parameters)
        return [item for page in found for item in page.get(items, [])]

    @cached_property
    def stack(self) -> Document:
        """The description of the stack; empty if it does not exist."""
        try:
            found: Document = self.call("cloudformation", "describe_stacks", StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                return {}
            raise
        return found

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The parameters of the stack; those without echo are asterisks."""
        return {each["ParameterKey"]: each["ParameterValue"] for each in self.stack.get("Parameters", [])}

    def output(self, name: str) -> str:
        """Return an output of the stack; RuntimeError if it does not exist."""
        outputs = {each["OutputKey"]: each["OutputValue"] for each in self.stack.get("Outputs", [])}
        if name not in outputs:
            raise RuntimeError(f"the stack has no output {name}, so it is of another version; deploy this one")
        return str(outputs[name])

    @cached_property
    def resources(self) -> dict[str, list[str]]:
        """The physical ids of the stack's resources, by type."""
        found: dict[str, list[str]] = {}
        for each in self.pages("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=self.name):
            found.setdefault(each["ResourceType"], []).append(each.get("PhysicalResourceId", ""))
        return found

    @cached_property
    def cluster(self) -> Document:
        """The description of the EKS cluster."""
        described: Document = self.call("eks", "describe_cluster", name=self.parameters["ClusterName"])["cluster"]
        return described

    def invoke(self, function: str, event: Document) -> Any:  # noqa: ANN401 - any JSON value
        """Invoke *function* and return its result; RuntimeError if it fails."""
        response = self.call("lambda", "invoke", FunctionName=function, Payload=json.dumps(event).encode())
        result = json.loads(response["Payload"].read())
        if "FunctionError" in response:
            raise RuntimeError(f"{function} failed: {result.get('errorType', 'unknown error')}")
        return result


class Kube:
    """The cluster of a kubeconfig, as its user sees it."""

    def __init__(self, context: str | None = None) -> None:
        settings = Configuration()
        config.load_kube_config(os.environ.get("KUBECONFIG"), context, settings)
        settings.retries = urllib3.Retry(total=0)
        self._api = ApiClient(settings)
        # As kubectl and the functions, accept the authorities of old EKS clusters, which have no key identifiers.
        context_of_tls = create_urllib3_context(verify_flags=ssl.VERIFY_X509_PARTIAL_CHAIN)
        self._api.rest_client.pool_manager.connection_pool_kw["ssl_context"] = context_of_tls

    @property
    def endpoint(self) -> str:
        """The URL of the API server."""
        return str(self._api.configuration.host)

    def get(self, path: str) -> Document | None:
        """Return the object or list at *path*, or None if it does not exist; ApiException for other errors."""
        request = self._api.param_serialize("GET", path, header_params=JSON, auth_settings=["BearerToken"])
        response = self._api.call_api(*request, _request_timeout=(CONNECT_SECONDS, READ_SECONDS))
        if response.status == HTTPStatus.NOT_FOUND:
            return None
        if response.status != HTTPStatus.OK:
            raise ApiException(status=response.status)
        document: Document = json.loads(response.read())
        return document

    def items(self, path: str) -> list[Document]:
        """Return the items of the list at *path*; none if the cluster has no such resource."""
        return list((self.get(path) or {}).get("items") or [])


class Target:
    """A deployment: its stack and, if there is a kubeconfig for it, its cluster."""

    def __init__(self, aws: Aws, kube: Kube | None) -> None:
        self.aws = aws
        self._given = kube

    @cached_property
    def kube(self) -> Kube | None:
        """The cluster of the kubeconfig, if it is that of the stack."""
        if self._given and self._given.endpoint.rstrip("/").lower() == self.aws.cluster["endpoint"].rstrip("/").lower():
            return self._given
        return None

    @property
    def why_no_kube(self) -> str:
        """The reason why there is no kubeconfig for the cluster."""
        if self._given:
            return f"The kubeconfig's cluster is {self._given.endpoint}, which is not the cluster of the stack."
        return "There is no kubeconfig for the cluster."

    @cached_property
    def project_groups(self) -> dict[str, list[str]]:
        """The groups with access to each Project's namespace, from its RoleBindings; empty without a kubeconfig."""
        if self.kube is None:
            return {}
        namespaces = self.kube.items("/api/v1/namespaces?labelSelector=researcher.dev%2Fproject")
        return {each["metadata"]["name"]: self._groups(each["metadata"]["name"]) for each in namespaces}

    def _groups(self, namespace: str) -> list[str]:
        assert self.kube is not None  # noqa: S101 - only called by project_groups
        bindings = self.kube.items(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings")
        roles = ("researcher-submitter", "researcher-viewer")
        subjects = [each.get("subjects") or [] for each in bindings if each["roleRef"]["name"] in roles]
        return sorted({subject["name"] for found in subjects for subject in found if subject["kind"] == "Group"})
