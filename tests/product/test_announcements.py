"""Announcements on a cluster: the events that EventBridge delivers for finished Jobs."""

from __future__ import annotations

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from infra.localcluster.kinds import JOB
from infra.localcluster.simulation import SIMULATE_VARIABLE
from tests.product.by_hand import by_hand
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from tests.support.api import Api
    from tests.support.scheduled_functions import Scheduled

CANARY = "hunter2-the-canary"
NAMESPACE = "researcher-team-a"
ENDED = ("Succeeded", "Failed")


@pytest.fixture
def name() -> str:
    """Return a unique Job name."""
    return f"event-{secrets.token_hex(4)}"


def create_finished_job(api: Api, name: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Create a Job, and return it when it has ended."""
    api.submit(name=name, **fields).raise_for_status()
    return eventually(lambda: get_job(api, name), lambda job: job["status"] in ENDED)


def get_job(api: Api, name: str) -> dict[str, Any]:
    """Return the Job as the API represents it."""
    job: dict[str, Any] = api.request("GET", f"/jobs/team-a/{name}").raise_for_status().json()["data"][0]
    return job


class TestFinished:
    """A Job that has finished."""

    def test_is_announced_once(self, api: Api, scheduled: Scheduled, name: str) -> None:
        """The event has what a message to the Job's owner needs, and no secret; the next run publishes nothing."""
        job = create_finished_job(api, name, gpu=2, environment={"PASSWORD": CANARY}, command=f"train {CANARY}")

        scheduled.announce()
        scheduled.announce()

        (event,) = scheduled.receive_events(name)
        used = event["detail"].pop("gpuSeconds")
        assert (event["source"], event["detail-type"]) == ("researcher-api", "job.finished")
        assert event["detail"] == {
            "id": job["id"], "project": "team-a", "name": name, "status": "Succeeded", "reason": None, "exitCode": 0,
            "failedPod": None, "user": "alice", "gpuSecondsIsLowerBound": False, "finishedAt": job["finishedAt"],
            "cluster": event["detail"]["cluster"],
        }  # fmt: skip
        assert used >= 0
        assert CANARY not in json.dumps(event)

    def test_event_has_the_reason_of_a_failure(self, api: Api, scheduled: Scheduled, name: str) -> None:
        """The reason of a failed Job is the same as in the API, derived from its pods."""
        create_finished_job(api, name, backoffLimit=0, environment={SIMULATE_VARIABLE: "OOMKilled"})

        scheduled.announce()

        (event,) = scheduled.receive_events(name)
        assert (event["detail"]["status"], event["detail"]["reason"]) == ("Failed", "OOMKilled")

    def test_list_has_the_exit_code(self, api: Api, scheduled: Scheduled, name: str) -> None:
        """The exit code and the failed pod of an announced Job are recorded: a list has them, too, without its pods."""
        job = create_finished_job(api, name, backoffLimit=0, environment={SIMULATE_VARIABLE: "exit-3"})

        scheduled.announce()

        page = api.request("GET", "/jobs/team-a?limit=500&status=Failed").raise_for_status().json()["data"]
        (listed,) = [each for each in page if each["name"] == name]
        assert (listed["exitCode"], listed["failedPod"]) == (job["exitCode"], job["failedPod"])
        assert listed["exitCode"] == 3
        assert listed["failedPod"].startswith(f"{name}-")

    def test_label_is_not_in_the_view(self, api: Api, scheduled: Scheduled, name: str) -> None:
        """The label that marks a Job as announced does not change the API's view of the Job."""
        job = create_finished_job(api, name)

        scheduled.announce()

        assert get_job(api, name) == job

    def test_running_jobs_are_not_announced(self, api: Api, scheduled: Scheduled, name: str) -> None:
        """Only the finished one of two Jobs is announced."""
        api.submit(name=f"{name}-runs", environment={SIMULATE_VARIABLE: "run-forever"}).raise_for_status()
        create_finished_job(api, f"{name}-ended")

        scheduled.announce()

        assert [event["detail"]["name"] for event in scheduled.receive_events(name)] == [f"{name}-ended"]
        api.request("DELETE", f"/jobs/team-a/{name}-runs").raise_for_status()

    def test_job_of_kubectl_is_ignored(self, stack: Stack, scheduled: Scheduled, name: str) -> None:
        """A Job that this API did not create is neither announced nor labelled."""
        stack.cluster.apply([by_hand({"name": name, "labels": {"team": "a"}})])
        eventually(lambda: finished(stored_job(stack, name)))
        before = stored_job(stack, name)["metadata"]["labels"]

        scheduled.announce()

        assert scheduled.receive_events(name) == []
        assert stored_job(stack, name)["metadata"]["labels"] == before


class TestRuns:
    """Concurrent runs, and a Project that the janitor may not read."""

    def test_concurrent_runs_publish_the_same_ids(self, api: Api, scheduled: Scheduled, name: str) -> None:
        """Two concurrent runs announce each Job at least once; duplicates have the same id."""
        ids = {}
        for number in range(12):
            each = f"{name}-{number}"
            ids[each] = api.submit(name=each).raise_for_status().json()["id"]
        for each in ids:
            eventually(lambda each=each: get_job(api, each)["status"], lambda status: status in ENDED)  # type: ignore[misc]  # a default binds it

        with ThreadPoolExecutor(2) as both:
            list(both.map(lambda _: scheduled.announce(), range(2)))

        events = scheduled.receive_events(name)
        assert {event["detail"]["name"]: event["detail"]["id"] for event in events} == ids
        # Two runs, each of which sends a request to EventBridge at most twice when the response is late.
        assert len(events) <= 2 * 2 * len(ids)
        scheduled.announce()
        assert scheduled.receive_events(name) == []

    def test_project_without_role_binding_does_not_stop_the_others(
        self, stack: Stack, api: Api, scheduled: Scheduled, name: str
    ) -> None:
        """A Project without the janitor's RoleBinding is reported as a failure; the others are announced."""
        metadata = {"name": "researcher-closed", "labels": {"researcher.dev/project": "closed"}}
        stack.cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])
        create_finished_job(api, name)

        report = scheduled.announce()

        assert {"project": "closed", "name": None, "code": "forbidden"} in report["failures"]
        assert len(scheduled.receive_events(name)) == 1


def finished(job: dict[str, Any]) -> bool:
    """Return whether the Job has the condition Complete."""
    conditions = job.get("status", {}).get("conditions", [])
    return any(each["type"] == "Complete" and each["status"] == "True" for each in conditions)


def stored_job(stack: Stack, name: str) -> dict[str, Any]:
    """Return the Job of that name as the cluster stores it."""
    (found,) = [each for each in stack.cluster.find(JOB, NAMESPACE) if each["metadata"]["name"] == name]
    return found
