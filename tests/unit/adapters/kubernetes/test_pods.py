"""A caller's pods, logs and events: the requests, whom they impersonate, and their results."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.kubernetes import pods as pods_adapter
from chalicelib.adapters.kubernetes.cluster import Cluster
from chalicelib.adapters.kubernetes.jobs import MAX_PODS
from chalicelib.adapters.kubernetes.pods import MAX_EVENTS, SCAN_BYTES, KubernetesPods
from chalicelib.deadline import Deadline
from chalicelib.domain.errors import (
    ClusterUnavailable,
    DeadlineExceeded,
    Forbidden,
    JobNotStarted,
    LogGone,
    NodeUnavailable,
    RefusedByCluster,
)
from chalicelib.domain.job.log_query import LogQuery
from chalicelib.domain.job.logs import ContainerRun
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
BISECTIONS = 12
"""The most requests for the end of a log of 1,000 lines."""
OF_TRAIN_1 = "batch.kubernetes.io/job-name in (train-1)"


@pytest.fixture
def pods(site: ScriptedServer) -> KubernetesPods:
    """Return the pods for Alice."""
    return KubernetesPods(Cluster(api_at(site.url)), ALICE, Deadline.after(60))


def page(*names: str, more: str | None = None) -> HttpResponse:
    """Return a page of a list with the continue token *more*."""
    return json_reply({"metadata": {"continue": more}, "items": [{"metadata": {"uid": name}} for name in names]})


def log_reply(log: bytes, status: int = 200) -> HttpResponse:
    """Return a response with a log."""
    return HttpResponse(status, [("Content-Type", "text/plain")], log)


REQUESTS = [
    pytest.param(PODS, lambda pods: pods.of_job(TEAM_A, job()), id="of_job"),
    pytest.param(PODS, lambda pods: pods.of_indexes(TEAM_A, job(), [1]), id="of_indexes"),
    pytest.param(PODS, lambda pods: pods.failed(TEAM_A, job()), id="failed"),
    pytest.param(LOG, lambda pods: pods.log(TEAM_A, ATTEMPT, LogQuery()), id="log"),
    pytest.param(EVENTS, lambda pods: pods.events(TEAM_A, "u1"), id="events"),
    pytest.param(EVENTS, lambda pods: pods.pod_events(TEAM_A, "train-1-abcde"), id="pod_events"),
]


class TestImpersonation:
    """The caller that each request impersonates."""

    @pytest.mark.parametrize(("path", "send"), REQUESTS)
    def test_every_request_impersonates_the_caller(
        self, site: ScriptedServer, pods: KubernetesPods, path: str, send: Callable[[KubernetesPods], object]
    ) -> None:
        """The cluster authorizes the caller's groups."""
        site.on(path, json_reply({}))

        send(pods)

        (request,) = site.at(path)
        assert request.values("Impersonate-User") == ["researcher:api"]
        assert request.values("Impersonate-Group") == ["researcher:team-a"]
        assert request.values("Impersonate-Extra-Subject") == ["researcher:alice"]

    @pytest.mark.parametrize(("path", "send"), REQUESTS)
    def test_forbidden_is_raised(
        self, site: ScriptedServer, pods: KubernetesPods, path: str, send: Callable[[KubernetesPods], object]
    ) -> None:
        """The error contains nothing about the Project or the API's identity."""
        site.on(path, status_reply(403, 'pods is forbidden: User "researcher:api" cannot list resource "pods"'))

        with pytest.raises(Forbidden) as raised:
            send(pods)

        assert "researcher:api" not in raised.value.detail

    @pytest.mark.parametrize(("path", "send"), REQUESTS)
    def test_denied_by_a_webhook(
        self, site: ScriptedServer, pods: KubernetesPods, path: str, send: Callable[[KubernetesPods], object]
    ) -> None:
        """The message of the webhook is passed on, whatever its status."""
        site.on(path, status_reply(404, 'admission webhook "x" denied the request: no'))

        with pytest.raises(RefusedByCluster):
            send(pods)

    @pytest.mark.parametrize(("path", "send"), REQUESTS)
    def test_deadline_is_respected(
        self, site: ScriptedServer, path: str, send: Callable[[KubernetesPods], object]
    ) -> None:
        """The deadline is that of the caller's request."""
        with pytest.raises(DeadlineExceeded):
            send(KubernetesPods(Cluster(api_at(site.url)), ALICE, Deadline(0.0)))

        assert site.at(path) == []


class TestOfJob:
    """The pods of a Job."""

    def test_job_without_a_label_selector(self, site: ScriptedServer, pods: KubernetesPods) -> None:
        """A Job with a manual selector may have no labels, and then no request is sent."""
        manual = job(spec=JobSpec(manual_selector=True))

        assert pods.of_job(TEAM_A, manual) == []
        assert site.at(PODS) == []

    def test_one_page(self, site: ScriptedServer, pods: KubernetesPods) -> None:
        """Pods that succeeded are included, as their logs can be read."""
        site.on(PODS, page("a", "b"))

        found = pods.of_job(TEAM_A, job())

        (request,) = site.at(PODS)
        assert request.query == [("labelSelector", OF_TRAIN_1), ("limit", str(MAX_PODS))]
        assert [pod.metadata.uid for pod in found] == ["a", "b"]

    def test_one_index(self, site: ScriptedServer, pods: KubernetesPods) -> None:
        """The cluster's index label selects the pods."""
        site.on(PODS, page("a"))

        pods.of_job(TEAM_A, job(), 7)

        selector = dict(site.at(PODS)[0].query)["labelSelector"]
        assert selector == f"{OF_TRAIN_1},batch.kubernetes.io/job-completion-index=7"

    def test_many_pods(self, site: ScriptedServer, pods: KubernetesPods) -> None:
        """Two requests return those that have not succeeded and some others, each once."""
        site.on(PODS, page("a", "b", more="x"), page("z", "b"))

        found = pods.of_job(TEAM_A, job())

        assert [dict(request.query).get("fieldSelector") for request in site.at(PODS)] == [
            None,
            "status.phase!=Succeeded",
        ]
        assert sorted(pod.metadata.uid for pod in found) == ["a", "b", "z"]


class TestOfIndexes:
    """The pods of some indexes, or those that failed."""

    def test_all_pages(self, site: ScriptedServer, pods: KubernetesPods) -> None:
        """The cluster selects them by label, and every page is read."""
        site.on(PODS, page("a", more="x"), page("b"))

        found = pods.of_indexes(TEAM_A, job(), [3, 5])

        first, second = (dict(request.query) for request in site.at(PODS))
        assert first["labelSelector"] == f"{OF_TRAIN_1},batch.kubernetes.io/job-completion-index in (3,5)"
        assert second == {**first, "continue": "x"}
        assert [pod.metadata.uid for pod in found] == ["a", "b"]

    def test_failed(self, site: ScriptedServer, pods: KubernetesPods) -> None:
        """A field selector finds them among a hundred thousand that succeeded."""
        site.on(PODS, page("a"))

        assert len(pods.failed(TEAM_A, job())) == 1
        assert dict(site.at(PODS)[0].query)["fieldSelector"] == "status.phase=Failed"

    def test_job_without_a_label_selector(self, site: ScriptedServer, pods: KubernetesPods) -> None:
        """No request is sent."""
        assert pods.failed(TEAM_A, job(spec=JobSpec(manual_selector=True))) == []
        assert site.at(PODS) == []


class TestLog:
    """The log of a container."""

    @pytest.mark.parametrize(("reply", "expected"), [(log_reply(b"\xff{\n"), b"\xff{\n"), (HttpResponse(204), b"")])
    def test_bytes_are_returned(
        self, site: ScriptedServer, pods: KubernetesPods, reply: HttpResponse, expected: bytes
    ) -> None:
        """The log is bytes, not JSON; for a pod without a node the API server responds with 204."""
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
    def test_query(
        self,
        site: ScriptedServer,
        pods: KubernetesPods,
        attempt: ContainerRun,
        query: LogQuery,
        expected: dict[str, str],
    ) -> None:
        """The request names the container, and has the query's options."""
        site.on(LOG, log_reply(b""))

        pods.log(TEAM_A, attempt, query)

        assert dict(site.at(LOG)[0].query) == {"container": "main"} | expected

    @pytest.mark.parametrize(
        ("sizes", "query"),
        [
            pytest.param([10] * 50, LogQuery(tail=1000, limit_bytes=100), id="short lines"),
            pytest.param([900], LogQuery(tail=1000, limit_bytes=200), id="one long line"),
            pytest.param([200] * 50, LogQuery(tail=1000, limit_bytes=500), id="long lines"),
            pytest.param(
                [4000, *[10] * 20], LogQuery(tail=1000, limit_bytes=100), id="one line that is too long, not the last"
            ),
            pytest.param([10, 4000], LogQuery(tail=2, limit_bytes=100), id="the last line is too long"),
            pytest.param([4000], LogQuery(tail=1, limit_bytes=100), id="the only line is too long"),
            pytest.param([4000, 10, 10], LogQuery(tail=1000, limit_bytes=300), id="few bytes in the last lines"),
        ],
    )
    def test_end_of_the_log(
        self,
        site: ScriptedServer,
        pods: KubernetesPods,
        monkeypatch: pytest.MonkeyPatch,
        sizes: list[int],
        query: LogQuery,
    ) -> None:
        """The last bytes are returned, and the byte before them, whatever the length of the lines."""
        monkeypatch.setattr(pods_adapter, "SCAN_BYTES", 1000)
        log = b"".join(b"%d" % (number % 10) * (size - 1) + b"\n" for number, size in enumerate(sizes))
        starts = [*accumulate(sizes, initial=0)][:-1]
        site.on(LOG, lambda request: log_reply(log[starts[-min(int(dict(request.query)["tailLines"]), len(starts))] :]))

        found = pods.log(TEAM_A, ATTEMPT, query)

        assert found == log[-query.limit_bytes - 1 :]
        assert len(site.at(LOG)) <= BISECTIONS

    def test_lines_have_become_fewer(self, site: ScriptedServer, pods: KubernetesPods) -> None:
        """If the kubelet rotates the file between two requests, the end of the new file is returned."""
        site.on(LOG, log_reply(b"x" * (SCAN_BYTES + 1)), log_reply(b"new\n"))

        assert pods.log(TEAM_A, ATTEMPT, LogQuery(tail=2)) == b"new\n"

    def test_node_is_gone(self, site: ScriptedServer, pods: KubernetesPods) -> None:
        """A log that was lost with its node is not reported as one of a deleted pod."""
        status = {"kind": "Status", "message": 'pods "node-1" not found', "details": {"name": "node-1", "kind": "pods"}}
        deleted = {**status, "details": {"name": ATTEMPT.pod, "kind": "pods"}}
        site.on(LOG, json_reply(deleted, 404), json_reply(status, 404))

        with pytest.raises(LogGone, match="The pod was deleted"):
            pods.log(TEAM_A, ATTEMPT, LogQuery())
        with pytest.raises(LogGone) as raised:
            pods.log(TEAM_A, ATTEMPT, LogQuery())

        assert raised.value.detail.startswith("The node of the pod no longer exists, and the log with it.")

    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            pytest.param(
                status_reply(400, 'container "main" in pod "x" is waiting to start: PodInitializing', "BadRequest"),
                JobNotStarted,
                id="not started",
            ),
            pytest.param(status_reply(404, 'pods "x" not found', "NotFound"), LogGone, id="deleted"),
            pytest.param(status_reply(418), ClusterUnavailable, id="unexpected"),
            pytest.param(status_reply(500, 'Get "https://x:10250/": i/o timeout'), NodeUnavailable, id="lost node"),
        ],
    )
    def test_missing_log(
        self, site: ScriptedServer, pods: KubernetesPods, reply: HttpResponse, error: type[ResearcherError]
    ) -> None:
        """The pod has changed since it was selected; the error does not contain the kubelet's message."""
        site.on(LOG, reply)

        with pytest.raises(error) as raised:
            pods.log(TEAM_A, ATTEMPT, LogQuery())

        assert '"x"' not in raised.value.detail


class TestEvents:
    """The events of an object."""

    def test_by_uid(self, site: ScriptedServer, pods: KubernetesPods) -> None:
        """Events of an earlier Job with the same name are not selected."""
        site.on(EVENTS, json_reply({"items": [{"reason": "a"}, {"reason": "b", "message": None}]}))

        found = pods.events(TEAM_A, "u1")

        assert site.at(EVENTS)[0].query == [("fieldSelector", "involvedObject.uid=u1"), ("limit", str(MAX_EVENTS))]
        assert [event.reason for event in found] == ["a", "b"]

    def test_by_pod_name(self, site: ScriptedServer, pods: KubernetesPods) -> None:
        """The pod may be deleted, and its uid unknown."""
        site.on(EVENTS, json_reply({"items": []}))

        assert pods.pod_events(TEAM_A, "train-1-abcde") == []
        selector = dict(site.at(EVENTS)[0].query)["fieldSelector"]
        assert selector == "involvedObject.kind=Pod,involvedObject.name=train-1-abcde"
