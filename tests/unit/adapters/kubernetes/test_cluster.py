"""The EKS cluster: the requests, whom they impersonate, and their results."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.aws import eks_tokens
from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.cluster import ACCESS_TTL_SECONDS, Cluster
from chalicelib.deadline import Deadline
from chalicelib.domain.caller import Caller
from chalicelib.domain.errors import ClusterUnavailable, Forbidden, PageTokenExpired
from chalicelib.domain.names import ProjectName
from chalicelib.settings import InvalidSettingError
from infra.local.wire import HttpResponse
from infra.localcluster.certificates import server_identity
from tests.support.builders import ALICE, BOB, TEAM_A, deployment
from tests.support.configuration import AUTHORITY, configuration_file
from tests.support.scripted_server import Clock, ScriptedServer, api_at, json_reply, status_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
NAMESPACES = "/api/v1/namespaces"
JOBS = "/apis/batch/v1/namespaces/researcher-team-a/jobs"


def review_reply(*, allowed: bool) -> HttpResponse:
    """Return the response to an access review."""
    return json_reply({"kind": "SelfSubjectAccessReview", "status": {"allowed": allowed}}, 201)


def page(*names: str, more: str | None = None) -> HttpResponse:
    """Return a page of a list with the continue token *more*."""
    return json_reply({"metadata": {"continue": more}, "items": [{"metadata": {"name": name}} for name in names]})


@pytest.fixture
def connection(site: ScriptedServer) -> Cluster:
    """Return a cluster without cached reviews."""
    return Cluster(api_at(site.url))


class TestNamespaces:
    """Listing the namespaces of Projects."""

    def test_all_pages_are_read(self, site: ScriptedServer) -> None:
        """Namespaces with the Project label are listed as the API itself, since callers may not list namespaces."""
        site.on(NAMESPACES, page("researcher-a", more="next=1&"), page("researcher-b", more="n2"), page("researcher-c"))

        found = Cluster(api_at(site.url)).namespaces(Deadline.after(60))

        first = [("labelSelector", "researcher.dev/project"), ("limit", "500")]
        assert [namespace.metadata.name for namespace in found] == ["researcher-a", "researcher-b", "researcher-c"]
        assert [request.query for request in site.requests] == [
            first,
            [*first, ("continue", "next=1&")],
            [*first, ("continue", "n2")],
        ]
        assert not [name for name, _ in site.requests[0].headers if name.lower().startswith("impersonate-")]

    def test_error_is_raised(self, site: ScriptedServer) -> None:
        """An incomplete list is an error."""
        site.on(NAMESPACES, page("researcher-a", more="n1"), status_reply(410))

        with pytest.raises(PageTokenExpired):
            Cluster(api_at(site.url)).namespaces(Deadline.after(60))

    def test_missing_permission_of_the_api(self, site: ScriptedServer) -> None:
        """The log says that it is not the caller who lacks it, as on a cluster without the API's ClusterRoles."""
        denied = status_reply(403, 'namespaces is forbidden: User "researcher-api:x" cannot list')
        site.on(NAMESPACES, denied)
        site.on(f"{NAMESPACES}/researcher-team-a", denied)
        with pytest.raises(Forbidden) as listing:
            Cluster(api_at(site.url)).namespaces(Deadline.after(60))
        with pytest.raises(Forbidden) as reading:
            Cluster(api_at(site.url)).namespace(TEAM_A, Deadline.after(60))

        assert (listing.value.why, reading.value.why) == ("forbidden_to_api", "forbidden_to_api")


class TestMayListJobs:
    """Whether a caller may use a Project."""

    def test_permission_is_reviewed(self, site: ScriptedServer, connection: Cluster) -> None:
        """The review has the verb, the resource and the namespace of a list request."""
        site.on(ACCESS, review_reply(allowed=True))

        assert connection.may_list_jobs(TEAM_A, ALICE, Deadline.after(60)) is True

        (request,) = site.at(ACCESS)
        attributes = {"namespace": "researcher-team-a", "verb": "list", "group": "batch", "resource": "jobs"}
        assert json.loads(request.body)["spec"] == {"resourceAttributes": attributes}

    @pytest.mark.parametrize("allowed", [True, False])
    def test_result_is_cached(self, site: ScriptedServer, allowed: bool) -> None:
        """The result is cached for 30 seconds, whether it is allowed or not."""
        clock = Clock()
        connection = Cluster(api_at(site.url), clock)
        site.on(ACCESS, review_reply(allowed=allowed), review_reply(allowed=not allowed))
        connection.may_list_jobs(TEAM_A, ALICE, Deadline.after(60))

        clock.now += ACCESS_TTL_SECONDS - 1
        assert connection.may_list_jobs(TEAM_A, ALICE, Deadline.after(60)) is allowed

        clock.now += 1
        assert connection.may_list_jobs(TEAM_A, ALICE, Deadline.after(60)) is not allowed

    def test_cache_key_is_groups_and_project(self, site: ScriptedServer) -> None:
        """Callers with the same groups share a result; other groups or Projects have another."""
        connection = Cluster(api_at(site.url))
        site.on(ACCESS, review_reply(allowed=True), review_reply(allowed=False))
        deadline = Deadline.after(60)

        assert connection.may_list_jobs(TEAM_A, ALICE, deadline)
        assert connection.may_list_jobs(TEAM_A, BOB, deadline)
        assert not connection.may_list_jobs(ProjectName("team-b"), ALICE, deadline)
        assert not connection.may_list_jobs(TEAM_A, Caller("alice", ()), deadline)
        assert not connection.may_list_jobs(TEAM_A, Caller("alice", ("team-a", "team-b")), deadline)
        assert len(site.at(ACCESS)) == 4

    def test_failure_is_not_cached(self, site: ScriptedServer, connection: Cluster) -> None:
        """A failed review is repeated."""
        site.on(ACCESS, HttpResponse(201, [], b"<html>"), review_reply(allowed=True))
        with pytest.raises(ClusterUnavailable):
            connection.may_list_jobs(TEAM_A, ALICE, Deadline.after(60))

        assert connection.may_list_jobs(TEAM_A, ALICE, Deadline.after(60)) is True


class TestVersion:
    """The cluster's version."""

    def test_version(self, site: ScriptedServer) -> None:
        """The version is the `gitVersion` that `kubectl version` prints."""
        site.on("/version", json_reply({"major": "1", "minor": "34", "gitVersion": "v1.34.1-eks-1234567"}))

        assert Cluster(api_at(site.url)).version(ALICE, Deadline.after(60)) == "v1.34.1-eks-1234567"


def encoded(text: str) -> str:
    """Return *text* in base64, as DescribeCluster returns a certificate."""
    return base64.b64encode(text.encode()).decode()


class TestConnect:
    """This deployment's cluster."""

    @pytest.fixture(autouse=True)
    def disconnect(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Set AWS credentials, and clear the cached connections after the test."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
        yield
        cluster.connect.cache_clear()
        eks_tokens.connect.cache_clear()

    @pytest.mark.parametrize("form", [str, encoded], ids=["PEM", "base64"])
    def test_settings_are_used(self, form: Callable[[str], str]) -> None:
        """Endpoint, certificate authority and role are those of the deployment."""
        identity = server_identity()
        with ScriptedServer(identity.context) as api, ScriptedServer() as sts:
            sts.on("/", session_reply())
            api.on(NAMESPACES, page("researcher-a"))
            file = configuration_file(clusterAuthorities=[form(identity.ca_pem)])

            connection = cluster.connect(
                deployment(cluster_endpoint=api.url, configuration_file=file, aws_endpoint_url=sts.url)
            )

            assert [namespace.metadata.name for namespace in connection.namespaces(Deadline.after(60))] == [
                "researcher-a"
            ]
            assert api.requests[0].values("Authorization")[0].startswith("Bearer k8s-aws-v1.")

    @pytest.mark.parametrize(
        "authority",
        ["not base64", encoded("no PEM"), "/w==", AUTHORITY, encoded(AUTHORITY)],
        ids=["no base64", "no PEM", "no text", "no certificate", "no certificate in base64"],
    )  # fmt: skip
    def test_invalid_certificate_authority(self, authority: str) -> None:
        """The error names the field and does not contain its value."""
        file = configuration_file(clusterAuthorities=[authority])

        with pytest.raises(InvalidSettingError, match=r"^clusterAuthorities must be certificates in PEM, or the "):
            cluster.connect(deployment(configuration_file=file))

    def test_connection_is_cached(self) -> None:
        """Warm invocations reuse connections, groups and reviews."""
        assert cluster.connect(deployment()) is cluster.connect(deployment())


def session_reply() -> HttpResponse:
    """Return the response of STS to AssumeRole."""
    parts = {"AccessKeyId": "id", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": "2099-01-01T00:00:00Z"}
    given = "".join(f"<{name}>{value}</{name}>" for name, value in parts.items())
    result = f"<AssumeRoleResult><Credentials>{given}</Credentials></AssumeRoleResult>"
    body = f"<AssumeRoleResponse>{result}</AssumeRoleResponse>"
    return HttpResponse(200, [("Content-Type", "text/xml")], body.encode())
