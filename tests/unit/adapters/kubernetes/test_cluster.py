"""The EKS cluster: which calls are made, as whom, and what their answers mean."""

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
from chalicelib.domain.errors import ClusterUnavailable, PageTokenExpired
from chalicelib.domain.names import ProjectName
from chalicelib.settings import InvalidSettingError
from infra.local.wire import HttpResponse
from infra.localcluster.certificates import server_identity
from tests.support.builders import ALICE, BOB, TEAM_A, deployment
from tests.support.scripted_server import Clock, ScriptedServer, api_at, json_reply, status_reply

if TYPE_CHECKING:
    from collections.abc import Iterator


ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
NAMESPACES = "/api/v1/namespaces"
JOBS = "/apis/batch/v1/namespaces/researcher-team-a/jobs"


def verdict(*, allowed: bool) -> HttpResponse:
    """The API server's answer to who asks whether they may."""
    return json_reply({"kind": "SelfSubjectAccessReview", "status": {"allowed": allowed}}, 201)


def page(*names: str, more: str | None = None) -> HttpResponse:
    """A page of a list, whose continue token is *more*."""
    return json_reply({"metadata": {"continue": more}, "items": [{"metadata": {"name": name}} for name in names]})


@pytest.fixture
def connected(site: ScriptedServer) -> Cluster:
    """The cluster, just connected."""
    return Cluster(api_at(site.url))


class TestNamespaces:
    """Which Projects there are."""

    def test_all_pages_are_read(self, site: ScriptedServer) -> None:
        """By the label of Projects, however many there are; asked as ourselves, since no caller may list namespaces."""
        site.on(NAMESPACES, page("researcher-a", more="next=1&"), page("researcher-b", more="n2"), page("researcher-c"))

        found = Cluster(api_at(site.url)).namespaces(Deadline.after(60))

        first = [("labelSelector", "researcher.dev/project"), ("limit", "500")]
        assert [one.metadata.name for one in found] == ["researcher-a", "researcher-b", "researcher-c"]
        assert [asked.query for asked in site.asked] == [
            first,
            [*first, ("continue", "next=1&")],
            [*first, ("continue", "n2")],
        ]
        assert not [name for name, _ in site.asked[0].headers if name.lower().startswith("impersonate-")]

    def test_refusal_is_told(self, site: ScriptedServer) -> None:
        """A list that is cut off is none."""
        site.on(NAMESPACES, page("researcher-a", more="n1"), status_reply(410))

        with pytest.raises(PageTokenExpired):
            Cluster(api_at(site.url)).namespaces(Deadline.after(60))


class TestMayListJobs:
    """Whether a caller may use a Project."""

    def test_cluster_decides(self, site: ScriptedServer, connected: Cluster) -> None:
        """About the verb, the resource and the namespace that a list would need."""
        site.on(ACCESS, verdict(allowed=True))

        assert connected.may_list_jobs(TEAM_A, ALICE, Deadline.after(60)) is True

        (asked,) = site.at(ACCESS)
        attributes = {"namespace": "researcher-team-a", "verb": "list", "group": "batch", "resource": "jobs"}
        assert json.loads(asked.body)["spec"] == {"resourceAttributes": attributes}

    @pytest.mark.parametrize("allowed", [True, False])
    def test_verdict_is_kept_for_thirty_seconds(self, site: ScriptedServer, allowed: bool) -> None:
        """Both ways; who is given or has lost a Project notices soon."""
        clock = Clock()
        connected = Cluster(api_at(site.url), clock)
        site.on(ACCESS, verdict(allowed=allowed), verdict(allowed=not allowed))
        connected.may_list_jobs(TEAM_A, ALICE, Deadline.after(60))

        clock.now += ACCESS_TTL_SECONDS - 1
        assert connected.may_list_jobs(TEAM_A, ALICE, Deadline.after(60)) is allowed

        clock.now += 1
        assert connected.may_list_jobs(TEAM_A, ALICE, Deadline.after(60)) is not allowed

    def test_verdict_is_of_groups_and_project(self, site: ScriptedServer) -> None:
        """Two callers of the same groups share it; another group or Project is another question."""
        connected = Cluster(api_at(site.url))
        site.on(ACCESS, verdict(allowed=True), verdict(allowed=False))
        deadline = Deadline.after(60)

        assert connected.may_list_jobs(TEAM_A, ALICE, deadline)
        assert connected.may_list_jobs(TEAM_A, BOB, deadline)
        assert not connected.may_list_jobs(ProjectName("team-b"), ALICE, deadline)
        assert not connected.may_list_jobs(TEAM_A, Caller("alice", ()), deadline)
        assert not connected.may_list_jobs(TEAM_A, Caller("alice", ("team-a", "team-b")), deadline)
        assert len(site.at(ACCESS)) == 4

    def test_failure_is_not_kept(self, site: ScriptedServer, connected: Cluster) -> None:
        """No verdict is not a no."""
        site.on(ACCESS, HttpResponse(201, [], b"<html>"), verdict(allowed=True))
        with pytest.raises(ClusterUnavailable):
            connected.may_list_jobs(TEAM_A, ALICE, Deadline.after(60))

        assert connected.may_list_jobs(TEAM_A, ALICE, Deadline.after(60)) is True


class TestVersion:
    """What the cluster runs."""

    def test_version(self, site: ScriptedServer) -> None:
        """As `kubectl version` tells it."""
        site.on("/version", json_reply({"major": "1", "minor": "34", "gitVersion": "v1.34.1-eks-1234567"}))

        assert Cluster(api_at(site.url)).version(ALICE, Deadline.after(60)) == "v1.34.1-eks-1234567"


class TestConnect:
    """This deployment's cluster."""

    @pytest.fixture(autouse=True)
    def forgotten(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Nothing stays connected from one test to the next."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
        yield
        cluster.connect.cache_clear()
        eks_tokens.connect.cache_clear()

    def test_settings_lead_to_the_cluster(self) -> None:
        """Endpoint, authority and role: a Lambda needs no more to ask as itself."""
        identity = server_identity()
        with ScriptedServer(identity.context) as api, ScriptedServer() as sts:
            sts.on("/", session_reply())
            api.on(NAMESPACES, page("researcher-a"))
            authority = base64.b64encode(identity.ca_pem.encode()).decode()

            connected = cluster.connect(
                deployment(cluster_endpoint=api.url, cluster_ca=authority, aws_endpoint_url=sts.url)
            )

            assert [one.metadata.name for one in connected.namespaces(Deadline.after(60))] == ["researcher-a"]
            assert api.asked[0].values("Authorization")[0].startswith("Bearer k8s-aws-v1.")

    @pytest.mark.parametrize(
        "authority",
        ["not base64", base64.b64encode(b"no PEM").decode(), base64.b64encode(b"\xff").decode(),
         base64.b64encode(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").decode()],
        ids=["no base64", "no PEM", "no text", "no certificate"],
    )  # fmt: skip
    def test_authority_is_checked_before_anything_is_sent(self, authority: str) -> None:
        """A mistake of the deployment, which the log names; the value is not shown."""
        with pytest.raises(InvalidSettingError, match=r"^CLUSTER_CA must be certificates in PEM, encoded in base64$"):
            cluster.connect(deployment(cluster_ca=authority))

    def test_process_has_one(self) -> None:
        """So that warm calls find their connections, groups and verdicts."""
        assert cluster.connect(deployment()) is cluster.connect(deployment())


def session_reply() -> HttpResponse:
    """STS's answer to AssumeRole."""
    parts = {"AccessKeyId": "id", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": "2099-01-01T00:00:00Z"}
    given = "".join(f"<{name}>{value}</{name}>" for name, value in parts.items())
    result = f"<AssumeRoleResult><Credentials>{given}</Credentials></AssumeRoleResult>"
    body = f"<AssumeRoleResponse>{result}</AssumeRoleResponse>"
    return HttpResponse(200, [("Content-Type", "text/xml")], body.encode())
