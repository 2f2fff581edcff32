"""Issuer, STS and cluster of a deployment, each with its latency and over TLS, and the requests to them.

The latencies are round trips: the issuer is a public service, STS a service of the region, the API server in the VPC.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import urllib3

from infra.local.http_server import Handler, LoopbackServer
from infra.local.issuer import AUDIENCE, Issuer
from infra.local.wire import HttpResponse
from infra.localcluster.certificates import server_identity
from tests.bench.latency_proxy import latency_proxy
from tests.bench.recording_proxy import RecordedRequest, Recorder, recorded_request
from tests.support.configuration import configuration_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from infra.local.client_credentials import Application
    from infra.local.wire import Headers
    from infra.localcluster.certificates import ServerIdentity
    from tests.deployed.deployed import Deployed

ISSUER_SECONDS = 0.020
STS_SECONDS = 0.005
CLUSTER_SECONDS = 0.005

_CONNECTION_HEADERS = {"connection", "content-length", "transfer-encoding"}


@dataclass(frozen=True)
class Recording:
    """The requests that one response needs, to the issuer, to STS and to the cluster; *urls* are theirs."""

    urls: tuple[str, ...]
    sent: tuple[list[RecordedRequest], ...]

    @property
    def counts(self) -> str:
        """The numbers of requests, as text."""
        issuer, sts, cluster = map(len, self.sent)
        return f"{issuer} to the issuer, {sts} to STS, {cluster} to the cluster"

    def named(self, old: str, new: str) -> list[tuple[str, RecordedRequest]]:
        """Return the same requests for the Job *new* in sequence, each with its server's URL."""
        return [
            (url, each.named(old, new)) for url, requests in zip(self.urls, self.sent, strict=True) for each in requests
        ]


class RemoteIssuer(Issuer):
    """A token issuer over TLS, whose name is the URL with latency."""

    def __init__(self, applications: Mapping[str, Application], identity: ServerIdentity) -> None:
        super().__init__(applications)
        self.sent: list[RecordedRequest] = []
        self.remote_url = ""
        self._server = LoopbackServer(self, context=identity.context)

    @property
    def url(self) -> str:
        """The URL with latency, once it is set."""
        return self.remote_url or super().url

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Record the request and return the issuer's response."""
        self.sent.append(recorded_request(method, target, headers, body))
        return super().answer(method, target, headers, body)


class TlsProxy(Handler):
    """Terminates TLS with keep-alive, and forwards to the server at *upstream*, which has plain HTTP/1.0."""

    def __init__(self, upstream: str, identity: ServerIdentity) -> None:
        self.sent: list[RecordedRequest] = []
        self._upstream = upstream
        self._pool = urllib3.PoolManager(retries=False)
        self._server = LoopbackServer(self, context=identity.context)

    @property
    def url(self) -> str:
        """The URL of the proxy."""
        return self._server.url

    def close(self) -> None:
        """Stop listening."""
        self._server.close()
        self._pool.clear()

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Forward the request with its Host header, which is signed, and return the response."""
        forwarded = urllib3.HTTPHeaderDict([line for line in headers if line[0].lower() not in _CONNECTION_HEADERS])
        self.sent.append(recorded_request(method, target, headers, body))
        response = self._pool.request(method, self._upstream + target, body=body, headers=forwarded, redirect=False)
        return HttpResponse(response.status, list(response.headers.items()), response.data)


class RemoteServices:
    """The services of *deployed* with latency, as a context manager; certificates are written to *folder*."""

    def __init__(self, deployed: Deployed, folder: Path) -> None:
        self._deployed = deployed
        self._authorities = folder / "authorities.pem"
        self._identity = server_identity()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start the servers and the proxies."""
        cluster = self._deployed.cluster
        self._authorities.write_text(self._identity.ca_pem + cluster.ca_pem, encoding="utf-8")
        with ExitStack() as stack:
            self.issuer = RemoteIssuer(self._deployed.applications, self._identity)
            stack.callback(self.issuer.close)
            self.issuer.remote_url = stack.enter_context(latency_proxy(self.issuer.url, ISSUER_SECONDS))
            self._aws = TlsProxy(self._deployed.aws.url, self._identity)
            stack.callback(self._aws.close)
            self._aws_url = stack.enter_context(latency_proxy(self._aws.url, STS_SECONDS))
            self.cluster_url = stack.enter_context(latency_proxy(cluster.url, CLUSTER_SECONDS))
            self._recorder = stack.enter_context(Recorder(cluster.url, cluster.ca_pem))
            self._open = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the servers and the proxies."""
        self._open.close()

    @property
    def variables(self) -> dict[str, str]:
        """The settings of a function for these services."""
        return {
            "CONFIGURATION_FILE": self._configuration(self._deployed.cluster.ca_pem),
            "AWS_ENDPOINT_URL": self._aws_url,
            "CLUSTER_ENDPOINT": self.cluster_url,
            "SSL_CERT_FILE": str(self._authorities),
            "AWS_CA_BUNDLE": str(self._authorities),
        }

    def _configuration(self, authority: str) -> str:
        issuer = {"issuer": self.issuer.remote_url, "audiences": [AUDIENCE]}
        return configuration_file(clusterAuthorities=[authority], tokenIssuers=[issuer])

    def record(self, invoke: Callable[[Mapping[str, str]], object]) -> Recording:
        """Return the requests that are sent while *invoke* runs a function with the given settings."""
        all_sent = (self.issuer.sent, self._aws.sent, self._recorder.requests)
        for sent in all_sent:
            sent.clear()
        recorded = self._configuration(self._recorder.ca_pem)
        invoke(self.variables | {"CLUSTER_ENDPOINT": self._recorder.url, "CONFIGURATION_FILE": recorded})
        urls = (self.issuer.remote_url, self._aws_url, self.cluster_url)
        return Recording(urls, tuple(list(sent) for sent in all_sent))
