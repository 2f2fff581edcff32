"""Issuer, STS and cluster of a deployment, each at its distance and over TLS, and what was sent to them.

The distances are round trips: the issuer is a service of the web, STS one of the region, the API server in the VPC.
"""

from __future__ import annotations

import base64
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import urllib3

from infra.local.http_server import Handler, LoopbackServer
from infra.local.issuer import Issuer
from infra.local.wire import HttpResponse
from infra.localcluster.certificates import server_identity
from tests.bench.far_away import far_away
from tests.bench.recording import Recorder, Sent, sent_as

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

_OF_A_CONNECTION = {"connection", "content-length", "transfer-encoding"}


@dataclass(frozen=True)
class Recording:
    """What was sent to answer one request: to the issuer, to STS, and to the cluster; *urls* are theirs."""

    urls: tuple[str, ...]
    sent: tuple[list[Sent], ...]

    @property
    def counts(self) -> str:
        """How many requests went where, for people."""
        issuer, sts, cluster = map(len, self.sent)
        return f"{issuer} to the issuer, {sts} to STS, {cluster} to the cluster"

    def named(self, old: str, new: str) -> list[tuple[str, Sent]]:
        """The same requests about the Job *new*, one after the other, each with its server's URL."""
        return [(url, one.named(old, new)) for url, some in zip(self.urls, self.sent, strict=True) for one in some]


class FarIssuer(Issuer):
    """A token issuer over TLS, which calls itself by the URL at which it is reached."""

    def __init__(self, applications: Mapping[str, Application], identity: ServerIdentity) -> None:
        super().__init__(applications)
        self.sent: list[Sent] = []
        self.far_url = ""
        self._server = LoopbackServer(self, context=identity.context)

    @property
    def url(self) -> str:
        """The far URL, once there is one."""
        return self.far_url or super().url

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """The issuer's answer."""
        self.sent.append(sent_as(method, target, headers, body))
        return super().answer(method, target, headers, body)


class TlsFront(Handler):
    """Passes on to the server at *upstream*, which speaks plain HTTP/1.0, what comes over TLS on open connections."""

    def __init__(self, upstream: str, identity: ServerIdentity) -> None:
        self.sent: list[Sent] = []
        self._upstream = upstream
        self._pool = urllib3.PoolManager(retries=False)
        self._server = LoopbackServer(self, context=identity.context)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    def close(self) -> None:
        """Stop listening."""
        self._server.close()
        self._pool.clear()

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """The upstream's answer to the same request, whose header Host is signed."""
        kept = urllib3.HTTPHeaderDict([line for line in headers if line[0].lower() not in _OF_A_CONNECTION])
        self.sent.append(sent_as(method, target, headers, body))
        answer = self._pool.request(method, self._upstream + target, body=body, headers=kept, redirect=False)
        return HttpResponse(answer.status, list(answer.headers.items()), answer.data)


class FarCloud:
    """The surroundings of *deployed*, far away while it is entered; certificates go to *folder*."""

    def __init__(self, deployed: Deployed, folder: Path) -> None:
        self._deployed = deployed
        self._authorities = folder / "authorities.pem"
        self._identity = server_identity()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start servers and delays."""
        cluster = self._deployed.cluster
        self._authorities.write_text(self._identity.ca_pem + cluster.ca_pem, encoding="utf-8")
        with ExitStack() as started:
            self.issuer = FarIssuer(self._deployed.applications, self._identity)
            started.callback(self.issuer.close)
            self.issuer.far_url = started.enter_context(far_away(self.issuer.url, ISSUER_SECONDS))
            self._aws = TlsFront(self._deployed.aws.url, self._identity)
            started.callback(self._aws.close)
            self._aws_url = started.enter_context(far_away(self._aws.url, STS_SECONDS))
            self.cluster_url = started.enter_context(far_away(cluster.url, CLUSTER_SECONDS))
            self._recorder = started.enter_context(Recorder(cluster.url, cluster.ca_pem))
            self._open = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop them."""
        self._open.close()

    @property
    def variables(self) -> dict[str, str]:
        """The settings by which a function finds it."""
        return {
            "TOKEN_ISSUER": self.issuer.far_url,
            "AWS_ENDPOINT_URL": self._aws_url,
            "CLUSTER_ENDPOINT": self.cluster_url,
            "SSL_CERT_FILE": str(self._authorities),
            "AWS_CA_BUNDLE": str(self._authorities),
        }

    def recorded(self, ask: Callable[[Mapping[str, str]], object]) -> Recording:
        """Return what is sent while *ask* runs, which hands these settings to a function."""
        all_sent = (self.issuer.sent, self._aws.sent, self._recorder.sent)
        for sent in all_sent:
            sent.clear()
        authority = base64.b64encode(self._recorder.ca_pem.encode()).decode()
        ask(self.variables | {"CLUSTER_ENDPOINT": self._recorder.url, "CLUSTER_CA": authority})
        urls = (self.issuer.far_url, self._aws_url, self.cluster_url)
        return Recording(urls, tuple(list(sent) for sent in all_sent))
