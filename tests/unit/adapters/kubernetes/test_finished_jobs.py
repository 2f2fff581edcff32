"""What the cluster still has of a finished Job."""

from __future__ import annotations

import pytest

from chalicelib.adapters.kubernetes.cluster import Cluster
from chalicelib.adapters.kubernetes.finished_jobs import LOG_FAILURES, MAX_PODS, KubernetesFinishedJobs
from chalicelib.deadline import Deadline
from chalicelib.domain.caller import Caller
from chalicelib.domain.errors import ClusterUnavailable, Forbidden
from infra.local.wire import HttpResponse
from tests.support.builders import TEAM_A, TRAIN_1, container, job, pod
from tests.support.scripted_server import ScriptedServer, api_at, groups_reply, json_reply, status_reply

RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
JOB = "/apis/batch/v1/namespaces/researcher-team-a/jobs/train-1"
PODS = "/api/v1/namespaces/researcher-team-a/pods"
LOG = f"{PODS}/train-1-abcde/log"
NOT_ALLOWED = status_reply(403, 'pods is forbidden: User "researcher:api" cannot list resource "pods"')
POD = pod("Succeeded", containers=[container(), container()])
POD.spec.containers[0].name = "main"


@pytest.fixture
def site(site: ScriptedServer) -> ScriptedServer:
    """An API server where we may impersonate the janitor."""
    site.on(RULES, groups_reply("researcher:janitor"))
    return site


@pytest.fixture
def remains(site: ScriptedServer) -> KubernetesFinishedJobs:
    """The cluster as the cleanup reaches it."""
    return KubernetesFinishedJobs(Cluster(api_at(site.url)), Caller.janitor(), Deadline.after(60))


@pytest.mark.parametrize(("reply", "error"), [(NOT_ALLOWED, Forbidden), (status_reply(503), ClusterUnavailable)])
def test_refusal_is_raised(
    site: ScriptedServer,
    remains: KubernetesFinishedJobs,
    monkeypatch: pytest.MonkeyPatch,
    reply: HttpResponse,
    error: type[Exception],
) -> None:
    """The Project has not bound the janitor's role, or the cluster is down: a Receipt would be wrong."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    site.on(JOB, reply)
    site.on(PODS, reply)

    with pytest.raises(error):
        remains.manifest(TEAM_A, TRAIN_1)
    with pytest.raises(error):
        remains.pods(TEAM_A, job())


class TestManifest:
    """The Job as it is stored."""

    def test_is_whole(self, site: ScriptedServer, remains: KubernetesFinishedJobs) -> None:
        """With what our own types do not name; asked as the janitor. None when another run was faster."""
        assert remains.manifest(TEAM_A, TRAIN_1) is None
        stored = {"metadata": {"name": "train-1"}, "spec": {"backoffLimit": 6}}
        site.on(JOB, json_reply(stored))

        assert remains.manifest(TEAM_A, TRAIN_1) == stored
        assert site.at(JOB)[1].values("Impersonate-Group") == ["researcher:janitor"]


class TestPods:
    """However they ended."""

    def test_are_the_jobs(self, site: ScriptedServer, remains: KubernetesFinishedJobs) -> None:
        """Those that succeeded, too, and not without end."""
        site.on(PODS, json_reply({"items": [{"metadata": {"name": "train-1-abcde"}}]}))

        assert [one.metadata.name for one in remains.pods(TEAM_A, job())] == ["train-1-abcde"]
        assert site.at(PODS)[0].query == [
            ("labelSelector", "batch.kubernetes.io/job-name in (train-1)"),
            ("limit", str(MAX_PODS)),
        ]


class TestLogTail:
    """The last lines."""

    def test_is_read(self, site: ScriptedServer, remains: KubernetesFinishedJobs) -> None:
        """Of the first container, whatever bytes it wrote, and not without end."""
        site.on(LOG, HttpResponse(200, [("Content-Type", "text/plain")], b"one\ntw\xff\n"))

        assert remains.log_tail(TEAM_A, POD) == "one\ntw\ufffd\n"
        assert site.at(LOG)[0].query == [("container", "main"), ("tailLines", "40"), ("limitBytes", "65536")]

    @pytest.mark.parametrize("reply", [status_reply(404), status_reply(400, "waiting to start"), NOT_ALLOWED])
    def test_is_none_where_there_is_none(
        self, site: ScriptedServer, remains: KubernetesFinishedJobs, reply: HttpResponse
    ) -> None:
        """The pod is gone, or never started; the next one is asked all the same."""
        site.on(LOG, *[reply] * LOG_FAILURES, HttpResponse(200, [], b"done\n"))

        assert [remains.log_tail(TEAM_A, POD) for _ in range(LOG_FAILURES + 1)] == [None] * LOG_FAILURES + ["done\n"]

    def test_is_no_more_asked_for_when_nodes_do_not_answer(
        self, site: ScriptedServer, remains: KubernetesFinishedJobs
    ) -> None:
        """Their logs are not worth the time of the cleanup."""
        site.on(LOG, status_reply(500))

        found = [remains.log_tail(TEAM_A, POD) for _ in range(LOG_FAILURES)]
        asked = len(site.at(LOG))

        assert [*found, remains.log_tail(TEAM_A, POD)] == [None] * (LOG_FAILURES + 1)
        assert len(site.at(LOG)) == asked

    @pytest.mark.parametrize("name", ["", "..", "a/../../secrets", "A"])
    def test_of_an_odd_name_is_not_asked_for(
        self, site: ScriptedServer, remains: KubernetesFinishedJobs, name: str
    ) -> None:
        """It would be another path."""
        assert remains.log_tail(TEAM_A, pod(name=name)) is None
        assert site.asked == []

    def test_is_not_waited_for(self, site: ScriptedServer) -> None:
        """The cleanup's own end is the end of it, too."""
        late = KubernetesFinishedJobs(Cluster(api_at(site.url)), Caller.janitor(), Deadline(0.0))

        assert late.log_tail(TEAM_A, POD) is None
