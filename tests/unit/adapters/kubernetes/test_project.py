"""One Project as one caller sees it: which calls are made, as whom, and what their answers mean."""

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
    """The Project as Alice sees it; the first to ask for rules is our own identity."""
    site.on(RULES, groups_reply("researcher:team-a"), MAY_LIST)
    return KubernetesProject(Cluster(api_at(site.url)), ALICE, Deadline.after(60))


def named(label: str | None) -> HttpResponse:
    """The Project's namespace, labelled so."""
    labels = {} if label is None else {PROJECT_LABEL: label}
    return json_reply({"metadata": {"name": "researcher-team-a", "labels": labels}})


class TestVerbs:
    """What the caller may do."""

    def test_are_the_clusters_answer_to_the_caller(self, site: ScriptedServer, project: KubernetesProject) -> None:
        """Asked as the caller, about this namespace, and kept as the verdict of list_projects is."""
        assert [project.verbs(TEAM_A) for _ in range(2)] == [["get", "list"]] * 2
        assert len(site.at(RULES)) == 2

        asked = site.at(RULES)[-1]
        assert asked.values("Impersonate-Group") == ["researcher:team-a"]
        assert b'"namespace":"researcher-team-a"' in asked.body

    def test_none_is_forbidden(self, site: ScriptedServer, project: KubernetesProject) -> None:
        """Who may not list the Jobs sees nothing of the Project."""
        site.on(RULES, groups_reply("researcher:team-a"), rules_reply())

        with pytest.raises(Forbidden):
            project.verbs(TEAM_A)


class NamespaceClient:
    """Whether there is such a Project."""

    def test_is_asked_for_as_ourselves(self, site: ScriptedServer, project: KubernetesProject) -> None:
        """Callers have no right to namespaces."""
        site.on(NAMESPACE, named("team-a"))

        assert project.namespace(TEAM_A).metadata.name == "researcher-team-a"
        assert site.at(NAMESPACE)[0].values("Impersonate-User") == []

    @pytest.mark.parametrize(
        "reply",
        [
            pytest.param(status_reply(404, reason="NotFound"), id="missing"),
            pytest.param(named(None), id="no Project"),
            pytest.param(named("team-b"), id="another Project's"),
        ],
    )
    def test_without_one_is_forbidden(
        self, site: ScriptedServer, project: KubernetesProject, reply: HttpResponse
    ) -> None:
        """As a Project that one may not use."""
        site.on(NAMESPACE, reply)

        with pytest.raises(Forbidden):
            project.namespace(TEAM_A)


class TestContents:
    """What is in it, as the caller may see it."""

    def test_quotas(self, site: ScriptedServer, project: KubernetesProject) -> None:
        """Their limits and their use."""
        status = {"hard": {"pods": "500"}, "used": {"pods": "3"}}
        site.on(QUOTAS, json_reply({"items": [{"metadata": {"name": "room"}, "status": status}]}))

        (quota,) = project.quotas(TEAM_A)

        assert (quota.metadata.name, quota.status.hard, quota.status.used) == ("room", {"pods": "500"}, {"pods": "3"})
        assert site.at(QUOTAS)[0].values("Impersonate-Group") == ["researcher:team-a"]

    @pytest.mark.parametrize(("more", "complete"), [("", True), ("next", False)])
    def test_pods_of_jobs_that_have_not_ended(
        self, site: ScriptedServer, project: KubernetesProject, more: str, complete: bool
    ) -> None:
        """One call, however many there are; whether there were more is told."""
        site.on(PODS, json_reply({"metadata": {"continue": more}, "items": [{"metadata": {"name": "train-1-x"}}]}))

        pods, all_of_them = project.pods(TEAM_A)

        assert ([pod.metadata.name for pod in pods], all_of_them) == (["train-1-x"], complete)
        assert site.at(PODS)[0].query == [
            ("labelSelector", "batch.kubernetes.io/job-name"),
            ("fieldSelector", "status.phase!=Succeeded,status.phase!=Failed"),
            ("limit", str(MAX_PODS)),
        ]
