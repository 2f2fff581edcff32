"""The chain from the bearer token to the cluster's verdict: each link holds, and without one nothing opens."""

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
    """The cluster's API server, asked with an EKS token and without the product."""

    def __init__(self, stack: Stack) -> None:
        sts = boto3.client("sts", **stack.aws.connection)
        given = sts.assume_role(RoleArn=ROLE, RoleSessionName="by-hand", ExternalId="local-external-id")["Credentials"]
        sts.close()
        self.given: Mapping[str, Any] = given
        self.cluster = stack.cluster.name
        self._url = stack.cluster.url
        self._pool = urllib3.PoolManager(ca_cert_data=stack.cluster.ca_pem, retries=False)

    def close(self) -> None:
        """Closes the connections."""
        self._pool.clear()

    def token(self, cluster: str | None = None) -> str:
        """A token as the product makes it."""
        credentials = Credentials(self.given["AccessKeyId"], self.given["SecretAccessKey"], self.given["SessionToken"])
        return eks_token(credentials, cluster or self.cluster, REGION, time.time())

    def signed(self, when: datetime, signed_headers: str = "host;x-k8s-aws-id") -> str:
        """A token of that time over those headers, with a signature that is right."""
        stamp, host = when.strftime("%Y%m%dT%H%M%SZ"), f"sts.{REGION}.amazonaws.com"
        scope = f"{self.given['AccessKeyId']}/{stamp[:8]}/{REGION}/sts/aws4_request"
        pairs = [
            ("Action", "GetCallerIdentity"),
            ("Version", "2011-06-15"),
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", scope),
            ("X-Amz-Date", stamp),
            ("X-Amz-Expires", "60"),
            ("X-Amz-Security-Token", self.given["SessionToken"]),
            ("X-Amz-SignedHeaders", signed_headers),
        ]
        headers = {"host": host, "x-k8s-aws-id": self.cluster}
        made = signature(self.given["SecretAccessKey"], Scope.parse(scope), pairs, headers)
        return _token(f"https://{host}/?" + urlencode([*pairs, ("X-Amz-Signature", made)]))

    def ask(
        self, method: str, path: str, token: str, headers: list[tuple[str, str]], body: object = None
    ) -> urllib3.BaseHTTPResponse:
        """The API server's answer."""
        lines = urllib3.HTTPHeaderDict({"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        for name, value in headers:
            lines.add(name, value)
        text = None if body is None else json.dumps(body)
        return self._pool.request(method, self._url + path, headers=lines, body=text)


@pytest.fixture
def server(stack: Stack) -> Iterator[ApiServer]:
    """The API server of the stack's cluster."""
    found = ApiServer(stack)
    yield found
    found.close()


def _token(url: str) -> str:
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def _url(token: str) -> str:
    encoded = token.removeprefix("k8s-aws-v1.")
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()


class TestEksToken:
    """What the API server's webhook takes for an EKS token."""

    def test_the_products_own_is_taken(self, server: ApiServer) -> None:
        """It opens the door to the caller's Jobs, with the caller's headers."""
        assert server.ask("GET", JOBS, server.token(), CALLER).status == 200

    def test_another_clusters_is_refused(self, server: ApiServer) -> None:
        """The cluster's name is signed into it."""
        assert server.ask("GET", JOBS, server.token("another"), CALLER).status == 401

    def test_a_stale_one_is_refused(self, server: ApiServer) -> None:
        """It lives for 15 minutes."""
        now = datetime.now(UTC)

        answers = [server.ask("GET", JOBS, server.signed(now - timedelta(minutes=age)), CALLER) for age in (14, 16)]

        assert [answer.status for answer in answers] == [200, 401]

    def test_one_without_the_signed_name_is_refused(self, server: ApiServer) -> None:
        """Else a token for any service that presigns would do."""
        assert server.ask("GET", JOBS, server.signed(datetime.now(UTC), "host"), CALLER).status == 401

    @pytest.mark.parametrize("changed", ["Signature", "Security-Token", "Expires", "Credential"])
    def test_a_tampered_one_is_refused(self, server: ApiServer, changed: str) -> None:
        """Every part of it is under the signature, or is the signature."""
        parts = urlsplit(_url(server.token()))
        pairs = [
            (name, value[:-1] + ("0" if value[-1] != "0" else "1") if name == f"X-Amz-{changed}" else value)
            for name, value in parse_qsl(parts.query)
        ]

        tampered = _token(f"https://{parts.netloc}/?{urlencode(pairs)}")
        assert server.ask("GET", JOBS, tampered, CALLER).status == 401


class TestOwnIdentity:
    """The role's identity without a caller's headers."""

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
    def test_may_do_nothing(self, server: ApiServer, method: str, path: str, body: object) -> None:
        """A product that lost the headers is refused before anything is looked up."""
        assert server.ask(method, path, server.token(), [], body).status == 403

    @pytest.mark.parametrize("group", ["system:masters", "researcher:nobody", "researcher-api"])
    def test_may_take_no_other_group(self, server: ApiServer, group: str) -> None:
        """One group too many refuses the whole request."""
        assert server.ask("GET", JOBS, server.token(), [*CALLER, ("Impersonate-Group", group)]).status == 403


class TestMutant:
    """A product whose calls have lost the caller's headers."""

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
    def test_is_refused_everywhere(
        self, api: Api, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: object
    ) -> None:
        """It fails closed: 403 for everything, whoever asks."""
        monkeypatch.setattr(Impersonation, "headers", lambda *_, **__: [])

        assert api.ask(method, path, json=body).status_code == 403

    def test_has_no_project(self, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        """The own identity may list the Jobs of none."""
        monkeypatch.setattr(Impersonation, "headers", lambda *_, **__: [])
        with Api(stack, bearer=stack.issuer.mint("mutant", groups=["team-a", "mutants"])) as mutant:
            assert mutant.ask("GET", "/projects").json()["data"] == []


class TestAccess:
    """Access that is given and taken while the API runs."""

    def test_a_new_project_works_soon(self, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing is deployed or restarted: the list of groups is read again for one that is not in it."""
        monkeypatch.setattr(impersonation, "UNKNOWN_GROUP_TTL_SECONDS", 0.5)
        with Api(stack, bearer=stack.issuer.mint("carol", groups=["team-c"])) as carol:
            assert carol.ask("GET", "/jobs/team-c").status_code == 403
            stack.cluster.apply(project_manifests("team-c", ["team-c"]))

            eventually(lambda: carol.submit("team-c", name="first").status_code, lambda status: status == 201)

    def test_a_group_that_nobody_knows_gives_nothing_and_takes_nothing(self, stack: Stack) -> None:
        """A token may name groups that the cluster has never heard of; the others still work."""
        groups = ["team-a", "everyone", "kubernetes-admins"]
        with Api(stack, bearer=stack.issuer.mint("dave", groups=groups)) as dave:
            assert dave.ask("GET", "/jobs/team-a").status_code == 200
