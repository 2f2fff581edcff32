"""Suspending and resuming Jobs on the cluster: whose GPUs go to whom, and who may."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from infra.kubernetes.project import project_manifests
from infra.localcluster.kinds import JOB, POD
from infra.localcluster.pod_status import SIMULATE_VARIABLE
from tests.product.by_hand import by_hand
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack
    from tests.support.api import Api

RUNS_ON = {SIMULATE_VARIABLE: "run-forever"}
ACTIONS = pytest.mark.parametrize("action", ["suspend", "resume"])


def shown(api: Api, name: str, project: str = "team-a") -> dict[str, Any]:
    """The Job as get_job shows it."""
    view: dict[str, Any] = api.ask("GET", f"/jobs/{project}/{name}").raise_for_status().json()["data"][0]
    return view


def becomes(api: Api, name: str, status: str, reason: str | None = None) -> dict[str, Any]:
    """The Job, once it is in that state for that reason."""
    return eventually(lambda: shown(api, name), lambda view: (view["status"], view["reason"]) == (status, reason))


def pods(stack: Stack[Any], name: str) -> list[str]:
    """The pods of the Job *name* that hold what they asked for."""
    found = [one for one in stack.cluster.find(POD, "researcher-team-a") if one["metadata"]["name"].startswith(name)]
    return [one["metadata"]["name"] for one in found if one["status"]["phase"] in {"Pending", "Running"}]


def stored(stack: Stack[Any], name: str, project: str = "team-a") -> dict[str, Any]:
    """The Job as the cluster has it, without its status."""
    found = stack.cluster.find(JOB, f"researcher-{project}")
    (job,) = (one for one in found if one["metadata"]["name"] == name)
    return {"uid": job["metadata"]["uid"], "suspend": job["spec"]["suspend"]}


@pytest.fixture
def job(api: Api) -> Iterator[str]:
    """The name of a Job of the test's own."""
    name = f"pause-{secrets.token_hex(4)}"
    yield name
    api.ask("DELETE", f"/jobs/team-a/{name}")


class TestSuspend:
    """A Job that makes room, and comes back."""

    def test_its_gpus_go_to_the_job_that_waits(self, stack: Stack[Any], api: Api, job: str) -> None:
        """The waiting one runs as soon as the pods of the suspended one have ended."""
        api.submit(name=job, gpu=8, environment=RUNS_ON)
        becomes(api, job, "Running")
        other = api.submit(jobNamePrefix="waits", gpu=8, environment=RUNS_ON).json()["name"]
        becomes(api, other, "Pending", "Unschedulable")

        answer = api.ask("POST", f"/jobs/team-a/{job}/suspend")

        assert (answer.status_code, answer.json()["status"]) == (202, "Suspended")
        assert becomes(api, other, "Running")["currentAllocatedGPUs"] == 8
        assert (pods(stack, job), shown(api, job)["status"]) == ([], "Suspended")
        api.ask("DELETE", f"/jobs/team-a/{other}")

    def test_it_runs_again_when_it_is_resumed(self, api: Api, job: str) -> None:
        """It is the same Job, with new pods."""
        uid = api.submit(name=job, gpu=1, environment=RUNS_ON).json()["id"]
        becomes(api, job, "Running")
        api.ask("POST", f"/jobs/team-a/{job}/suspend")

        answer = api.ask("POST", f"/jobs/team-a/{job}/resume")

        assert (answer.status_code, answer.json()["id"]) == (202, uid)
        becomes(api, job, "Running")

    @ACTIONS
    def test_twice_is_once(self, stack: Stack[Any], api: Api, job: str, action: str) -> None:
        """The second answer is 202 as well, and the Job is as the first has left it."""
        api.submit(name=job, gpu=1, environment=RUNS_ON)

        answers = [api.ask("POST", f"/jobs/team-a/{job}/{action}").status_code for _ in range(2)]

        assert answers == [202, 202]
        assert stored(stack, job)["suspend"] is (action == "suspend")


class TestRefused:
    """Jobs that stay as they are."""

    @ACTIONS
    def test_one_that_has_finished(self, stack: Stack[Any], api: Api, job: str, action: str) -> None:
        """409, by name."""
        api.submit(name=job)
        becomes(api, job, "Succeeded")
        before = stored(stack, job)

        answer = api.ask("POST", f"/jobs/team-a/{job}/{action}")

        assert (answer.status_code, answer.json()["code"]) == (409, "job_finished")
        assert stored(stack, job) == before

    @ACTIONS
    def test_one_in_a_queue(self, stack: Stack[Any], api: Api, job: str, action: str) -> None:
        """409: the queue would undo it, and until then the Job would take what others queue for."""
        api.submit(name=job, queue="gpus", environment=RUNS_ON)
        before = stored(stack, job)

        answer = api.ask("POST", f"/jobs/team-a/{job}/{action}")

        assert (answer.status_code, answer.json()["code"]) == (409, "job_managed_by_queue")
        assert stored(stack, job) == before

    @ACTIONS
    def test_one_that_has_changed(self, stack: Stack[Any], api: Api, job: str, action: str) -> None:
        """412: an ETag of before."""
        api.submit(name=job, environment=RUNS_ON)
        before = stored(stack, job)

        answer = api.ask("POST", f"/jobs/team-a/{job}/{action}", headers={"If-Match": '"1.00000000"'})

        assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
        assert stored(stack, job) == before

    @pytest.mark.parametrize("suspended", [False, True])
    def test_one_that_the_caller_may_only_look_at(self, stack: Stack[Any], api: Api, suspended: bool) -> None:
        """403 for a viewer, also where nothing would change."""
        stack.cluster.apply(project_manifests("looked-at", ["team-b"], ["team-a"]))
        metadata = {"name": f"seen-{suspended}".lower(), "namespace": "researcher-looked-at"}
        stack.cluster.apply([by_hand(metadata, privileged=True, suspend=suspended)])
        before = stored(stack, metadata["name"], "looked-at")

        answers = [
            api.ask("POST", f"/jobs/looked-at/{metadata['name']}/{action}").status_code
            for action in ("suspend", "resume")
        ]

        assert (shown(api, metadata["name"], "looked-at")["name"], answers) == (metadata["name"], [403, 403])
        assert stored(stack, metadata["name"], "looked-at") == before


class TestCondition:
    """`If-Match`."""

    def test_the_etag_of_now_is_honoured(self, api: Api, job: str) -> None:
        """The Job that was seen is the one that is suspended."""
        tag = api.waiting_job(job)

        assert api.ask("POST", f"/jobs/team-a/{job}/suspend", headers={"If-Match": tag}).status_code == 202
