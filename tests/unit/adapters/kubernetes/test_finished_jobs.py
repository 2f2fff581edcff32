"""Reading the objects and the log of a finished Job."""

from __future__ import annotations

import pytest

from chalicelib.adapters.kubernetes.cluster import Cluster
from chalicelib.adapters.kubernetes.finished_jobs import LOG_BYTES, LOG_FAILURES, MAX_PODS, KubernetesFinishedJobs
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
    """Return an API server that lets the API impersonate the janitor."""
    site.on(RULES, groups_reply("researcher:janitor"))
    return site


@pytest.fixture
def finished_jobs(site: ScriptedServer) -> KubernetesFinishedJobs:
    """Return the adapter of the cleanup."""
    return KubernetesFinishedJobs(Cluster(api_at(site.url)), Caller.janitor(), Deadline.after(60))


@pytest.mark.parametrize(("reply", "error"), [(NOT_ALLOWED, Forbidden), (status_reply(503), ClusterUnavailable)])
def test_error_is_raised(
    site: ScriptedServer,
    finished_jobs: KubernetesFinishedJobs,
    monkeypatch: pytest.MonkeyPatch,
    reply: HttpResponse,
    error: type[Exception],
) -> None:
    """Without permission, or if the cluster is unavailable, there is no incomplete Receipt."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    site.on(JOB, reply)
    site.on(PODS, reply)

    with pytest.raises(error):
        finished_jobs.manifest(TEAM_A, TRAIN_1)
    with pytest.raises(error):
        finished_jobs.pods(TEAM_A, job())


class TestManifest:
    """The stored Job."""

    def test_is_complete(self, site: ScriptedServer, finished_jobs: KubernetesFinishedJobs) -> None:
        """Unknown fields are kept; the request is sent as the janitor. None if the Job was deleted."""
        assert finished_jobs.manifest(TEAM_A, TRAIN_1) is None
        stored = {"metadata": {"name": "train-1"}, "spec": {"backoffLimit": 6}}
        site.on(JOB, json_reply(stored))

        assert finished_jobs.manifest(TEAM_A, TRAIN_1) == stored
        assert site.at(JOB)[1].values("Impersonate-Group") == ["researcher:janitor"]


class TestPods:
    """The Job's pods."""

    def test_are_those_of_the_job(self, site: ScriptedServer, finished_jobs: KubernetesFinishedJobs) -> None:
        """Pods in all phases are returned, up to a limit."""
        site.on(PODS, json_reply({"items": [{"metadata": {"name": "train-1-abcde"}}]}))

        assert [pod.metadata.name for pod in finished_jobs.pods(TEAM_A, job())] == ["train-1-abcde"]
        assert site.at(PODS)[0].query == [
            ("labelSelector", "batch.kubernetes.io/job-name in (train-1)"),
            ("limit", str(MAX_PODS)),
        ]

    def test_failed_pod_among_very_many(self, site: ScriptedServer, finished_jobs: KubernetesFinishedJobs) -> None:
        """Of more pods than the limit, those that have not succeeded are read first: one of them decided the end."""
        first = {"metadata": {"continue": "x"}, "items": [{"metadata": {"uid": "a"}}]}
        site.on(
            PODS, json_reply(first), json_reply({"items": [{"metadata": {"uid": "z"}}, {"metadata": {"uid": "a"}}]})
        )

        assert [pod.metadata.uid for pod in finished_jobs.pods(TEAM_A, job())] == ["z", "a"]
        assert dict(site.at(PODS)[1].query)["fieldSelector"] == "status.phase!=Succeeded"


class TestLogTail:
    """The last lines of a log."""

    def test_is_read(self, site: ScriptedServer, finished_jobs: KubernetesFinishedJobs) -> None:
        """The log of the container is read up to a limit; invalid UTF-8 is replaced."""
        site.on(LOG, HttpResponse(200, [("Content-Type", "text/plain")], b"one\ntw\xff\n"))

        assert finished_jobs.log_tail(TEAM_A, POD, "main") == "one\ntw\ufffd\n"
        assert site.at(LOG)[0].query == [("container", "main"), ("tailLines", "40")]

    def test_end_of_long_lines(self, site: ScriptedServer, finished_jobs: KubernetesFinishedJobs) -> None:
        """Of a progress bar without line breaks, the end is read."""
        site.on(LOG, HttpResponse(200, [], b"x" * LOG_BYTES + b"100 %\r"))

        assert (finished_jobs.log_tail(TEAM_A, POD, "main") or "")[-7:] == "x100 %\r"

    @pytest.mark.parametrize("reply", [status_reply(404), status_reply(400, "waiting to start"), NOT_ALLOWED])
    def test_missing_log_is_none(
        self, site: ScriptedServer, finished_jobs: KubernetesFinishedJobs, reply: HttpResponse
    ) -> None:
        """A pod that is gone or never started has no log, and does not count as a failure."""
        site.on(LOG, *[reply] * LOG_FAILURES, HttpResponse(200, [], b"done\n"))

        assert [finished_jobs.log_tail(TEAM_A, POD, "main") for _ in range(LOG_FAILURES + 1)] == [
            None
        ] * LOG_FAILURES + ["done\n"]

    def test_is_not_read_after_failures(self, site: ScriptedServer, finished_jobs: KubernetesFinishedJobs) -> None:
        """After several failures no more logs are read."""
        site.on(LOG, status_reply(500))

        found = [finished_jobs.log_tail(TEAM_A, POD, "main") for _ in range(LOG_FAILURES)]
        requests = len(site.at(LOG))

        assert [*found, finished_jobs.log_tail(TEAM_A, POD, "main")] == [None] * (LOG_FAILURES + 1)
        assert len(site.at(LOG)) == requests

    @pytest.mark.parametrize("name", ["", "..", "a/../../secrets", "A"])
    def test_invalid_pod_name(self, site: ScriptedServer, finished_jobs: KubernetesFinishedJobs, name: str) -> None:
        """A name that would change the path is not requested."""
        assert finished_jobs.log_tail(TEAM_A, pod(name=name), "main") is None
        assert site.requests == []

    def test_deadline_is_respected(self, site: ScriptedServer) -> None:
        """After the deadline of the cleanup the result is None."""
        late = KubernetesFinishedJobs(Cluster(api_at(site.url)), Caller.janitor(), Deadline(0.0))

        assert late.log_tail(TEAM_A, POD, "main") is None
