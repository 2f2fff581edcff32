"""A caller's pods, logs and events: which calls are made, as whom, and what their answers mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.kubernetes.cluster import Cluster
from chalicelib.adapters.kubernetes.jobs import MAX_PODS
from chalicelib.adapters.kubernetes.pods import MAX_EVENTS, READ_BYTES, KubernetesPods
from chalicelib.deadline import Deadline
from chalicelib.domain.errors import ClusterUnavailable, DeadlineExceeded, Forbidden, JobNotStarted, LogGone
from chalicelib.domain.job.logs import ContainerRun, LogQuery
from chalicelib.domain.kubernetes.jobs import JobSpec
from infra.local.wire import HttpResponse
from tests.support.builders import ALICE, TEAM_A, job
from tests.support.scripted_server import ScriptedServer, api_at, json_reply, status_reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.errors import ResearcherError

PODS = "/api/v1/namespaces/researcher-team-a/pods"
EVENTS = "/api/v1/namespaces/researcher-team-a/events"
LOG = f"{PODS}/train-1-abcde/log"
ATTEMPT = ContainerRun("train-1-abcde", "main")
OF_TRAIN_1 = "batch.kubernetes.io/job-name in (train-1)"


@pytest.fixture
def pods(site: ScriptedServer) -> KubernetesPods:
    """The cluster as Alice reaches it."""
    return KubernetesPods(Cluster(api_at(site.url)), ALICE, Deadline.after(60))


def page(*names: str, more: str | None = None) -> HttpResponse:
    """A page of a list, whose continue token is *more*."""
    return json_reply({"metadata": {"continue": more}, "items": [{"metadata": {"uid": name}} for name in names]})


def text(log: bytes, status: int = 200) -> HttpResponse:
    """A log."""
    return HttpResponse(status, [("Content-Type", "text/plain")], log)


CALLS = [
    pytest.param(PODS, lambda pods: pods.of_job(TEAM_A, job()), id="of_job"),
    pytest.param(LOG, lambda pods: pods.log(TEAM_A, ATTEMPT, LogQuery()), id="log"),
    pytest.param(EVENTS, lambda pods: pods.events(TEAM_A, "u1"), id="events"),
    pytest.param(EVENTS, lambda pods: pods.pod_events(TEAM_A, "train-1-abcde"), id="pod_events"),
]


class TestActingFor:
    """As whom the cluster is asked."""

    @pytest.mark.parametrize(("path", "ask"), CALLS)
    def test_every_call_is_the_callers(
        self, site: ScriptedServer, pods: KubernetesPods, path: str, ask: Callable[[KubernetesPods], object]
    ) -> None:
        """The cluster decides about the caller's groups."""
        site.on(path, json_reply({}))

        ask(pods)

        (asked,) = site.at(path)
        assert asked.values("Impersonate-User") == ["researcher:api"]
        assert asked.values("Impersonate-Group") == ["researcher:team-a"]
        assert asked.values("Impersonate-Extra-Subject") == ["researcher:alice"]

    @pytest.mark.parametrize(("path", "ask"), CALLS)
    def test_refusal_is_the_clusters(
        self, site: ScriptedServer, pods: KubernetesPods, path: str, ask: Callable[[KubernetesPods], object]
    ) -> None:
        """It tells nothing of the Project."""
        site.on(path, status_reply(403, 'pods is forbidden: User "researcher:api" cannot list resource "pods"'))

        with pytest.raises(Forbidden) as refusal:
            ask(pods)

        assert "researcher:api" not in refusal.value.detail

    @pytest.mark.parametrize(("path", "ask"), CALLS)
    def test_call_ends_at_the_callers_deadline(
        self, site: ScriptedServer, path: str, ask: Callable[[KubernetesPods], object]
    ) -> None:
        """It was set when the request came in."""
        with pytest.raises(DeadlineExceeded):
            ask(KubernetesPods(Cluster(api_at(site.url)), ALICE, Deadline(0.0)))

        assert site.at(path) == []


class TestOfJob:
    """The pods of a Job."""

    def test_no_request_where_no_label_selects_them(self, site: ScriptedServer, pods: KubernetesPods) -> None:
        """A Job with a selector of its own, which kubectl can make, may have one without labels."""
        odd = job(spec=JobSpec(manual_selector=True))

        assert pods.of_job(TEAM_A, odd) == []
        assert site.at(PODS) == []

    def test_one_page_holds_them_all(self, site: ScriptedServer, pods: KubernetesPods) -> None:
        """Those that succeeded too: their logs are asked for."""
        site.on(PODS, page("a", "b"))

        found = pods.of_job(TEAM_A, job())

        (asked,) = site.at(PODS)
        assert asked.query == [("labelSelector", OF_TRAIN_1), ("limit", str(MAX_PODS))]
        assert [pod.metadata.uid for pod in found] == ["a", "b"]

    def test_of_one_index(self, site: ScriptedServer, pods: KubernetesPods) -> None:
        """The cluster's own label selects them, among any number of others."""
        site.on(PODS, page("a"))

        pods.of_job(TEAM_A, job(), 7)

        selector = dict(site.at(PODS)[0].query)["labelSelector"]
        assert selector == f"{OF_TRAIN_1},batch.kubernetes.io/job-completion-index=7"

    def test_of_very_many_those_that_have_not_succeeded(self, site: ScriptedServer, pods: KubernetesPods) -> None:
        """Two calls, however many there are; no pod stands twice."""
        site.on(PODS, page("a", "b", more="x"), page("z", "b"))

        found = pods.of_job(TEAM_A, job())

        assert [dict(asked.query).get("fieldSelector") for asked in site.at(PODS)] == [None, "status.phase!=Succeeded"]
        assert sorted(pod.metadata.uid for pod in found) == ["a", "b", "z"]


class TestLog:
    """What a container printed."""

    @pytest.mark.parametrize(("reply", "expected"), [(text(b"\xff{\n"), b"\xff{\n"), (HttpResponse(204), b"")])
    def test_is_read_as_it_is(
        self, site: ScriptedServer, pods: KubernetesPods, reply: HttpResponse, expected: bytes
    ) -> None:
        """Bytes, not JSON; the API server answers 204 for a pod without a node."""
        site.on(LOG, reply)

        assert pods.log(TEAM_A, ATTEMPT, LogQuery()) == expected

    @pytest.mark.parametrize(
        ("attempt", "query", "expected"),
        [
            (ATTEMPT, LogQuery(), {"tailLines": "1000"}),
            (ATTEMPT, LogQuery(tail=5, since_seconds=60), {"tailLines": "5", "sinceSeconds": "60"}),
            (ATTEMPT, LogQuery(timestamps=True), {"tailLines": "1000", "timestamps": "true"}),
            (
                ContainerRun("train-1-abcde", "main", restarted=True),
                LogQuery(),
                {"tailLines": "1000", "previous": "true"},
            ),
        ],
    )
    def test_amount(
        self,
        site: ScriptedServer,
        pods: KubernetesPods,
        attempt: ContainerRun,
        query: LogQuery,
        expected: dict[str, str],
    ) -> None:
        """The container is always named; the cluster's limit cuts off the end, so that it is not the user's."""
        site.on(LOG, text(b""))

        pods.log(TEAM_A, attempt, query)

        always = {"container": "main", "limitBytes": str(READ_BYTES)}
        assert dict(site.at(LOG)[0].query) == always | expected

    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            pytest.param(
                status_reply(400, 'container "main" in pod "x" is waiting to start: PodInitializing', "BadRequest"),
                JobNotStarted,
                id="waits",
            ),
            pytest.param(status_reply(404, 'pods "x" not found', "NotFound"), LogGone, id="gone"),
            pytest.param(status_reply(418), ClusterUnavailable, id="odd"),
        ],
    )
    def test_there_is_none(
        self, site: ScriptedServer, pods: KubernetesPods, reply: HttpResponse, error: type[ResearcherError]
    ) -> None:
        """The pod changed since it was chosen; the kubelet's words stay inside."""
        site.on(LOG, reply)

        with pytest.raises(error) as refusal:
            pods.log(TEAM_A, ATTEMPT, LogQuery())

        assert '"x"' not in refusal.value.detail


class TestEvents:
    """What is told of an object."""

    def test_of_one_uid(self, site: ScriptedServer, pods: KubernetesPods) -> None:
        """A former Job of that name had events, too."""
        site.on(EVENTS, json_reply({"items": [{"reason": "a"}, {"reason": "b", "message": None}]}))

        found = pods.events(TEAM_A, "u1")

        assert site.at(EVENTS)[0].query == [("fieldSelector", "involvedObject.uid=u1"), ("limit", str(MAX_EVENTS))]
        assert [event.reason for event in found] == ["a", "b"]

    def test_of_a_pod_by_its_name(self, site: ScriptedServer, pods: KubernetesPods) -> None:
        """It may be gone, and its uid with it."""
        site.on(EVENTS, json_reply({"items": []}))

        assert pods.pod_events(TEAM_A, "train-1-abcde") == []
        selector = dict(site.at(EVENTS)[0].query)["fieldSelector"]
        assert selector == "involvedObject.kind=Pod,involvedObject.name=train-1-abcde"
