"""The chain of credentials from the bearer token to RBAC: each link is required."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import boto3
import pytest
import urllib3

from chalicelib.adapters.aws.eks_tokens import eks_token
from chalicelib.adapters.aws.sigv4 import Credentials
from chalicelib.adapters.kubernetes import impersonation
from chalicelib.adapters.kubernetes.impersonation import Impersonation
from infra.kubernetes.project import project_manifests
from infra.local.aws import REGION
from infra.local.presigned_sts import Scope, signature
from tests.support.api import Api
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infra.local.local_stack import Stack

ROLE = "arn:aws:iam::123456789012:role/researcher-api"
CALLER = [
    ("Impersonate-User", "researcher:api"),
    ("Impersonate-Extra-Subject", "researcher:alice"),
    ("Impersonate-Group", "researcher:team-a"),
]
JOBS = "/apis/batch/v1/namespaces/researcher-team-a/jobs"
NEW = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "stray"}, "spec": {}}


class ApiServer:
    """The cluster's API server, called directly with an EKS token, without the product."""

    def __init__(self, stack: Stack) -> None:
        sts = boto3.client("sts", **stack.aws.connection)
        credentials = sts.assume_role(RoleArn=ROLE, RoleSessionName="by-hand", ExternalId="local-external-id")[
            "Credentials"
        ]
        sts.close()
        self.credentials: Mapping[str, Any] = credentials
        self.cluster = stack.cluster.name
        self._url = stack.cluster.url
        self._pool = urllib3.PoolManager(ca_cert_data=stack.cluster.ca_pem, retries=False)

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def token(self, cluster: str | None = None) -> str:
        """Return a token as the product signs it."""
        credentials = Credentials(
            self.credentials["AccessKeyId"], self.credentials["SecretAccessKey"], self.credentials["SessionToken"]
        )
        return eks_token(credentials, cluster or self.cluster, REGION, time.time())

    def signed(self, when: datetime, signed_headers: str = "host;x-k8s-aws-id") -> str:
        """Return a token with a valid signature of that time over those headers."""
        stamp, host = when.strftime("%Y%m%dT%H%M%SZ"), f"sts.{REGION}.amazonaws.com"
        scope = f"{self.credentials['AccessKeyId']}/{stamp[:8]}/{REGION}/sts/aws4_request"
        pairs = [
            ("Action", "GetCallerIdentity"),
            ("Version", "2011-06-15"),
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", scope),
            ("X-Amz-Date", stamp),
            ("X-Amz-Expires", "60"),
            ("X-Amz-Security-Token", self.credentials["SessionToken"]),
            ("X-Amz-SignedHeaders", signed_headers),
        ]
        headers = {"host": host, "x-k8s-aws-id": self.cluster}
        signed = signature(self.credentials["SecretAccessKey"], Scope.parse(scope), pairs, headers)
        return _token(f"https://{host}/?" + urlencode([*pairs, ("X-Amz-Signature", signed)]))

    def request(
        self, method: str, path: str, token: str, headers: list[tuple[str, str]], body: object = None
    ) -> urllib3.BaseHTTPResponse:
        """Send a request, and return the API server's response."""
        header_lines = urllib3.HTTPHeaderDict({"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        for name, value in headers:
            header_lines.add(name, value)
        text = None if body is None else json.dumps(body)
        return self._pool.request(method, self._url + path, headers=header_lines, body=text)


@pytest.fixture
def server(stack: Stack) -> Iterator[ApiServer]:
    """Return a client of the API server of the stack's cluster."""
    found = ApiServer(stack)
    yield found
    found.close()


def _token(url: str) -> str:
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def _url(token: str) -> str:
    encoded = token.removeprefix("k8s-aws-v1.")
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()


class TestEksToken:
    """The token webhook of the API server."""

    def test_token_of_the_product_is_accepted(self, server: ApiServer) -> None:
        """The product's token with the caller's impersonation headers gives access to the caller's Jobs."""
        assert server.request("GET", JOBS, server.token(), CALLER).status == 200

    def test_token_for_another_cluster_is_rejected(self, server: ApiServer) -> None:
        """A token whose signed cluster name is another one is rejected."""
        assert server.request("GET", JOBS, server.token("another"), CALLER).status == 401

    def test_expired_token_is_rejected(self, server: ApiServer) -> None:
        """A token is valid for 15 minutes."""
        now = datetime.now(UTC)

        responses = [
            server.request("GET", JOBS, server.signed(now - timedelta(minutes=age)), CALLER) for age in (14, 16)
        ]

        assert [response.status for response in responses] == [200, 401]

    def test_token_without_signed_cluster_name_is_rejected(self, server: ApiServer) -> None:
        """A presigned request that does not sign the cluster name, as for other services, is not a valid token."""
        assert server.request("GET", JOBS, server.signed(datetime.now(UTC), "host"), CALLER).status == 401

    @pytest.mark.parametrize("changed", ["Signature", "Security-Token", "Expires", "Credential"])
    def test_modified_token_is_rejected(self, server: ApiServer, changed: str) -> None:
        """The signature covers every part of the token."""
        parts = urlsplit(_url(server.token()))
        pairs = [
            (name, value[:-1] + ("0" if value[-1] != "0" else "1") if name == f"X-Amz-{changed}" else value)
            for name, value in parse_qsl(parts.query)
        ]

        tampered = _token(f"https://{parts.netloc}/?{urlencode(pairs)}")
        assert server.request("GET", JOBS, tampered, CALLER).status == 401


class TestOwnIdentity:
    """The identity of the role, without impersonation headers."""

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", JOBS, None),
            ("POST", JOBS, NEW),
            ("GET", f"{JOBS}/any", None),
            ("DELETE", f"{JOBS}/any", None),
            ("DELETE", JOBS, None),  # deletecollection
            ("GET", "/api/v1/namespaces/researcher-team-a/pods", None),
            ("GET", "/api/v1/namespaces/researcher-team-a/secrets", None),
        ],
    )
    def test_has_no_permissions(self, server: ApiServer, method: str, path: str, body: object) -> None:
        """The role itself has no permission on Jobs, pods or Secrets: a request without the headers is 403."""
        assert server.request(method, path, server.token(), [], body).status == 403

    @pytest.mark.parametrize("group", ["system:masters", "researcher:unknown", "researcher-api"])
    def test_cannot_impersonate_other_groups(self, server: ApiServer, group: str) -> None:
        """One group that the role may not impersonate makes the whole request 403."""
        assert server.request("GET", JOBS, server.token(), [*CALLER, ("Impersonate-Group", group)]).status == 403


class TestWithoutImpersonation:
    """A product that has lost the impersonation headers, by a patch."""

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/jobs", {"project": "team-a", "image": "busybox"}),
            ("POST", "/jobs?dryRun=true", {"project": "team-a", "image": "busybox"}),
            ("GET", "/jobs/team-a", None),
            ("GET", "/jobs/team-a/any", None),
            ("DELETE", "/jobs/team-a/any", None),
        ],
    )
    def test_every_operation_is_forbidden(
        self, api: Api, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: object
    ) -> None:
        """Without impersonation headers every operation is 403 for every caller."""
        monkeypatch.setattr(Impersonation, "headers", lambda *_, **__: [])

        assert api.request(method, path, json=body).status_code == 403

    def test_lists_no_projects(self, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without impersonation headers the list of Projects is empty."""
        monkeypatch.setattr(Impersonation, "headers", lambda *_, **__: [])
        with Api(stack, bearer=stack.issuer.mint("erin", groups=["team-a", "others"])) as erin:
            assert erin.request("GET", "/projects").json()["data"] == []


class TestAccess:
    """Changes of access while the API runs."""

    def test_new_project_needs_no_restart(self, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        """A new Project works without deployment or restart: the list of groups is reloaded for unknown groups."""
        monkeypatch.setattr(impersonation, "UNKNOWN_GROUP_TTL_SECONDS", 0.5)
        with Api(stack, bearer=stack.issuer.mint("carol", groups=["team-c"])) as carol:
            assert carol.request("GET", "/jobs/team-c").status_code == 403
            stack.cluster.apply(project_manifests("team-c", ["team-c"]))

            eventually(lambda: carol.submit("team-c", name="first").status_code, lambda status: status == 201)

    def test_unknown_groups_are_ignored(self, stack: Stack) -> None:
        """Groups in a token that the cluster does not know have no effect on the others."""
        groups = ["team-a", "everyone", "kubernetes-admins"]
        with Api(stack, bearer=stack.issuer.mint("dave", groups=groups)) as dave:
            assert dave.request("GET", "/jobs/team-a").status_code == 200
