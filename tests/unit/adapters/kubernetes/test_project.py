"""A Project, as one caller: the requests, whom they impersonate, and their results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.kubernetes.cluster import Cluster
from chalicelib.adapters.kubernetes.project import MAX_PODS, KubernetesProject
from chalicelib.deadline import Deadline
from chalicelib.domain.errors import Forbidden
from chalicelib.domain.labels import PROJECT_LABEL
from tests.support.builders import ALICE, TEAM_A
from tests.support.scripted_server import ScriptedServer, api_at, groups_reply, json_reply, rules_reply, status_reply

if TYPE_CHECKING:
    from infra.local.wire import HttpResponse

RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
NAMESPACE = "/api/v1/namespaces/researcher-team-a"
QUOTAS = f"{NAMESPACE}/resourcequotas"
PODS = f"{NAMESPACE}/pods"
MAY_LIST = rules_reply({"verbs": ["get", "list"], "apiGroups": ["batch"], "resources": ["jobs"]})


@pytest.fixture
def project(site: ScriptedServer) -> KubernetesProject:
    """Return the Project for Alice; the first rules review is that of the API itself."""
    site.on(RULES, groups_reply("researcher:team-a"), MAY_LIST)
    return KubernetesProject(Cluster(api_at(site.url)), ALICE, Deadline.after(60))


def namespace_reply(label: str | None) -> HttpResponse:
    """Return the Project's namespace with this label."""
    labels = {} if label is None else {PROJECT_LABEL: label}
    return json_reply({"metadata": {"name": "researcher-team-a", "labels": labels}})


class TestVerbs:
    """The caller's permissions."""

    def test_are_reviewed_as_the_caller(self, site: ScriptedServer, project: KubernetesProject) -> None:
        """The review is sent as the caller, for this namespace, and cached."""
        assert [project.verbs(TEAM_A) for _ in range(2)] == [["get", "list"]] * 2
        assert len(site.at(RULES)) == 2

        request = site.at(RULES)[-1]
        assert request.values("Impersonate-Group") == ["researcher:team-a"]
        assert b'"namespace":"researcher-team-a"' in request.body

    def test_none_is_forbidden(self, site: ScriptedServer, project: KubernetesProject) -> None:
        """A caller who may not list Jobs gets no information about the Project."""
        site.on(RULES, groups_reply("researcher:team-a"), rules_reply())

        with pytest.raises(Forbidden):
            project.verbs(TEAM_A)


class TestNamespace:
    """Whether the Project exists."""

    def test_is_read_as_the_api_itself(self, site: ScriptedServer, project: KubernetesProject) -> None:
        """Callers have no permission to read namespaces."""
        site.on(NAMESPACE, namespace_reply("team-a"))

        assert project.namespace(TEAM_A).metadata.name == "researcher-team-a"
        assert site.at(NAMESPACE)[0].values("Impersonate-User") == []

    @pytest.mark.parametrize(
        "reply",
        [
            pytest.param(status_reply(404, reason="NotFound"), id="missing"),
            pytest.param(namespace_reply(None), id="without the label"),
            pytest.param(namespace_reply("team-b"), id="another Project's"),
        ],
    )
    def test_missing_project_is_forbidden(
        self, site: ScriptedServer, project: KubernetesProject, reply: HttpResponse
    ) -> None:
        """The response is the same as for a Project of other users."""
        site.on(NAMESPACE, reply)

        with pytest.raises(Forbidden):
            project.namespace(TEAM_A)


class TestContents:
    """The objects in the Project, as the caller."""

    def test_quotas(self, site: ScriptedServer, project: KubernetesProject) -> None:
        """Quotas have limits and usage."""
        status = {"hard": {"pods": "500"}, "used": {"pods": "3"}}
        site.on(QUOTAS, json_reply({"items": [{"metadata": {"name": "room"}, "status": status}]}))

        (quota,) = project.quotas(TEAM_A)

        assert (quota.metadata.name, quota.status.hard, quota.status.used) == ("room", {"pods": "500"}, {"pods": "3"})
        assert site.at(QUOTAS)[0].values("Impersonate-Group") == ["researcher:team-a"]

    @pytest.mark.parametrize(("more", "complete"), [("", True), ("next", False)])
    def test_pods_of_jobs_that_have_not_ended(
        self, site: ScriptedServer, project: KubernetesProject, more: str, complete: bool
    ) -> None:
        """One request returns the pods, and whether there are more."""
        site.on(PODS, json_reply({"metadata": {"continue": more}, "items": [{"metadata": {"name": "train-1-x"}}]}))

        pods, is_complete = project.pods(TEAM_A)

        assert ([pod.metadata.name for pod in pods], is_complete) == (["train-1-x"], complete)
        assert site.at(PODS)[0].query == [
            ("labelSelector", "batch.kubernetes.io/job-name"),
            ("fieldSelector", "status.phase!=Succeeded,status.phase!=Failed"),
            ("limit", str(MAX_PODS)),
        ]
