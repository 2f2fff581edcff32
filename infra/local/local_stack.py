"""The local cloud in one process: API Gateway, the functions, AWS, the token issuer and a cluster.

The functions run unmodified: they assume the same role and sign the same EKS token, and the cluster verifies it as EKS
does.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self

import boto3

import app
from chalicelib import configuration
from chalicelib.adapters.aws import bucket, eks_tokens, event_bus
from chalicelib.adapters.kubernetes import cluster as cluster_adapter
from chalicelib.adapters.oidc import bearer_tokens
from chalicelib.domain.finished.announcement import SOURCE
from chalicelib.domain.uploads.s3_event import SUBMIT
from chalicelib.settings import settings
from infra.kubernetes.access import API_GROUP
from infra.kubernetes.project import base_manifests, project_manifests
from infra.local.aws import REGION, LocalAws
from infra.local.eks_tokens import AccessEntry, EksTokenReviewer
from infra.local.gateway import Gateway
from infra.local.issuer import AUDIENCE, Application, Issuer
from infra.local.lambda_async import AsyncInvocations
from infra.local.lambda_invoke import functions_of
from infra.local.local_cluster import SomeCluster
from infra.local.s3_notifications import object_events

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.local.local_cluster import Review
    from infra.local.wire import Headers, HttpResponse
    from infra.localcluster.identity import Identity

BUCKET = "researcher-uploads"
FAILURES = "researcher-upload-failures"
FINISHED = "researcher-finished-jobs"
"""The queue to which a rule sends the events about finished Jobs."""
PROJECTS = {"team-a": ("team-a",), "team-b": ("team-b",), "team-shared": ("team-a", "team-b")}
"""The groups that may submit to each Project."""
GROUPS = {"alice": ("team-a",), "bob": ("team-b",)}
"""The groups of each Application."""
DOCS = "/researcher/api/docs"
GPUS = 16
SECRETS = ("hub", "wandb")
"""The Secrets that Jobs of these Projects may name. None of them exists: pods are simulated."""

ENTRY = AccessEntry("researcher-api:{{SessionName}}", (API_GROUP,))
"""The role's access entry, as cluster-access.yaml creates it."""

_EXTERNAL_ID = "local-external-id"
_CACHES = (
    settings,
    configuration.load,
    bucket.connect,
    cluster_adapter.connect,
    eks_tokens.connect,
    event_bus.connect,
    bearer_tokens.connect,
)


class Frontend(Protocol):
    """The HTTP server that clients use."""

    @property
    def url(self) -> str:
        """The URL of the server, without a trailing slash."""

    def start(self, port: int = 0, *, accept: bool = True) -> None:
        """Listen on loopback; raise OSError if *port* is taken. Without *accept*, only reserve the port."""

    def accept(self) -> None:
        """Accept connections on the reserved port; raise OSError if another process listens on it meanwhile."""

    def close(self) -> None:
        """Stop listening."""

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Respond to one request."""


class Stack(Generic[SomeCluster]):
    """Everything that the API needs, on the cluster that *make_cluster* creates, while the context is active.

    A process can run one at a time, because the functions read their settings from the environment.
    """

    def __init__(
        self,
        make_cluster: Callable[[Review], SomeCluster],
        port: int = 0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.applications = {name: Application(secrets.token_urlsafe(24), groups) for name, groups in GROUPS.items()}
        self.functions = functions_of(app.app)
        self.aws = LocalAws(self.functions)
        self.issuer = Issuer(self.applications)
        self.gateway: Frontend = Gateway(app.app, home=DOCS)
        self.cluster = make_cluster(self._review)
        self.async_invocations = AsyncInvocations(self.functions, self._send_to_failure_queue)
        self.failures_url = ""
        self.finished_url = ""
        self.access_entries: dict[str, AccessEntry] = {}
        self._reviewer: EksTokenReviewer | None = None
        self._port = port
        self._extra = dict(environment or {})
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start all servers, or none if one fails; raise OSError if the port is taken."""
        return self.enter()

    def enter(self, *, accept: bool = True) -> Self:
        """Start all servers as a `with` does; without *accept*, that of the API refuses connections until `accept`."""
        with ExitStack() as started:
            self.gateway.start(self._port, accept=accept)
            started.callback(self.gateway.close)
            started.enter_context(self.aws)
            self.issuer.start()
            started.callback(self.issuer.close)
            started.enter_context(self.cluster)
            self._prepare_cluster()
            file = Path(started.enter_context(TemporaryDirectory())) / "configuration.json"
            file.write_text(json.dumps(self.configuration), encoding="utf-8")
            settings = self._settings(self._prepare_aws()) | {"CONFIGURATION_FILE": str(file)}
            self._deploy(settings | self._extra, started)
            started.enter_context(self.async_invocations)
            started.enter_context(object_events(self.async_invocations.invoke))
            self._open = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all servers and restore the environment."""
        self._open.close()

    @property
    def base_url(self) -> str:
        """The base URL of the paths in the OpenAPI document."""
        return f"{self.gateway.url}/researcher/api/v1"

    @property
    def docs_url(self) -> str:
        """The URL of the documentation page."""
        return f"{self.gateway.url}{DOCS}"

    @property
    def token_url(self) -> str:
        """The URL of the token endpoint."""
        return self.issuer.token_url

    @property
    def authority(self) -> str:
        """The cluster's certificate authority in base64, as DescribeCluster returns it."""
        return base64.b64encode(self.cluster.ca_pem.encode()).decode()

    @property
    def configuration(self) -> dict[str, Any]:
        """The configuration of the deployment, as a JSON document."""
        return {
            "clusterAuthorities": [self.authority],
            "tokenIssuers": [{"issuer": self.issuer.url, "audiences": [AUDIENCE]}],
        }

    def session(self) -> dict[str, str]:
        """Return the environment variables that the commands of the documentation use for this stack."""
        return {
            "BASE_URL": self.base_url,
            "DOCS_URL": self.docs_url,
            "TOKEN_URL": self.token_url,
            "CLIENT_ID": "alice",
            "CLIENT_SECRET": self.applications["alice"].secret,
            "OTHER_CLIENT_ID": "bob",
            "OTHER_CLIENT_SECRET": self.applications["bob"].secret,
            "AWS_ENDPOINT_URL": self.aws.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "UPLOADS_BUCKET": BUCKET,
            "FINISHED_QUEUE": self.finished_url,
        }

    def _deploy(self, settings: Mapping[str, str], exit_stack: ExitStack) -> None:
        """Configure the functions, which run in this process, and the S3 notification for uploads."""
        self.aws.notify("submit_upload", BUCKET, SUBMIT)
        exit_stack.callback(clear_caches)
        _set_environment(settings, exit_stack)
        clear_caches()

    def _prepare_cluster(self) -> None:
        self.cluster.apply(base_manifests())
        for project, groups in PROJECTS.items():
            self.cluster.apply(project_manifests(project, groups, gpus=GPUS, uploads_bucket=BUCKET, secrets=SECRETS))

    def _prepare_aws(self) -> str:
        role = self.aws.create_role("researcher-api", _EXTERNAL_ID)
        self.aws.create_bucket(BUCKET)
        self.failures_url = self.aws.create_queue(FAILURES)
        self.finished_url = self.aws.create_queue(FINISHED)
        self.aws.send_events(SOURCE, FINISHED)
        self.access_entries[role] = ENTRY
        self._reviewer = EksTokenReviewer(self.cluster.name, self.aws.url, self.access_entries)
        return role

    def _send_to_failure_queue(self, message: str) -> None:
        boto3.client("sqs", **self.aws.connection).send_message(QueueUrl=self.failures_url, MessageBody=message)

    def _review(self, token: str) -> Identity:
        if self._reviewer is None:
            raise PermissionError("the cluster has no access entries yet")
        return self._reviewer(token)

    def _settings(self, role: str) -> dict[str, str]:
        return {
            "CLUSTER_NAME": self.cluster.name,
            "CLUSTER_ENDPOINT": self.cluster.url,
            "CLUSTER_ROLE_ARN": role,
            "CLUSTER_EXTERNAL_ID": _EXTERNAL_ID,
            "TOKEN_URL": self.issuer.token_url,
            "UPLOADS_BUCKET": BUCKET,
            "CLEANUP_DRY_RUN": "false",
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.aws.url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }


def _set_environment(variables: Mapping[str, str], exit_stack: ExitStack) -> None:
    previous = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    exit_stack.callback(_restore, previous)


def _restore(previous: Mapping[str, str | None]) -> None:
    for name, value in previous.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def clear_caches() -> None:
    """Clear the cached settings and connections of the functions, which are otherwise cached for the process's life."""
    for cached in _CACHES:
        cached.cache_clear()
