"""Suspending and resuming Jobs on the cluster: their GPUs, errors and permissions."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from infra.kubernetes.project import project_manifests
from infra.localcluster.kinds import JOB, POD
from infra.localcluster.simulation import SIMULATE_VARIABLE
from tests.product.by_hand import by_hand
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack
    from tests.support.api import Api

RUN_FOREVER = {SIMULATE_VARIABLE: "run-forever"}
ACTIONS = pytest.mark.parametrize("action", ["suspend", "resume"])


def get_job(api: Api, name: str, project: str = "team-a") -> dict[str, Any]:
    """Return the Job as get_job represents it."""
    view: dict[str, Any] = api.request("GET", f"/jobs/{project}/{name}").raise_for_status().json()["data"][0]
    return view


def await_state(api: Api, name: str, status: str, reason: str | None = None) -> dict[str, Any]:
    """Wait until the Job has that status and reason, and return it."""
    return eventually(lambda: get_job(api, name), lambda view: (view["status"], view["reason"]) == (status, reason))


def pods(stack: Stack[Any], name: str) -> list[str]:
    """Return the names of the Job's pods that use resources."""
    found = [each for each in stack.cluster.find(POD, "researcher-team-a") if each["metadata"]["name"].startswith(name)]
    return [each["metadata"]["name"] for each in found if each["status"]["phase"] in {"Pending", "Running"}]


def stored_state(stack: Stack[Any], name: str, project: str = "team-a") -> dict[str, Any]:
    """Return the uid and `suspend` of the stored Job."""
    found = stack.cluster.find(JOB, f"researcher-{project}")
    (job,) = (each for each in found if each["metadata"]["name"] == name)
    return {"uid": job["metadata"]["uid"], "suspend": job["spec"]["suspend"]}


@pytest.fixture
def job(api: Api) -> Iterator[str]:
    """Return a unique Job name, and delete the Job afterwards."""
    name = f"pause-{secrets.token_hex(4)}"
    yield name
    api.request("DELETE", f"/jobs/team-a/{name}")


class TestSuspend:
    """A Job that is suspended and resumed."""

    def test_frees_the_gpus_for_a_waiting_job(self, stack: Stack[Any], api: Api, job: str) -> None:
        """The pods of a suspended Job end, and a waiting Job gets its GPUs."""
        api.submit(name=job, gpu=8, environment=RUN_FOREVER)
        await_state(api, job, "Running")
        other = api.submit(jobNamePrefix="waits", gpu=8, environment=RUN_FOREVER).json()["name"]
        await_state(api, other, "Pending", "Unschedulable")

        response = api.request("POST", f"/jobs/team-a/{job}/suspend")

        assert (response.status_code, response.json()["status"]) == (202, "Suspended")
        assert await_state(api, other, "Running")["currentAllocatedGPUs"] == 8
        assert (pods(stack, job), get_job(api, job)["status"]) == ([], "Suspended")
        api.request("DELETE", f"/jobs/team-a/{other}")

    def test_resumed_job_runs_again(self, api: Api, job: str) -> None:
        """A resumed Job is the same Job with new pods."""
        uid = api.submit(name=job, gpu=1, environment=RUN_FOREVER).json()["id"]
        await_state(api, job, "Running")
        api.request("POST", f"/jobs/team-a/{job}/suspend")

        response = api.request("POST", f"/jobs/team-a/{job}/resume")

        assert (response.status_code, response.json()["id"]) == (202, uid)
        await_state(api, job, "Running")

    @ACTIONS
    def test_is_idempotent(self, stack: Stack[Any], api: Api, job: str, action: str) -> None:
        """A repeated request also returns 202 and changes nothing."""
        api.submit(name=job, gpu=1, environment=RUN_FOREVER)

        statuses = [api.request("POST", f"/jobs/team-a/{job}/{action}").status_code for _ in range(2)]

        assert statuses == [202, 202]
        assert stored_state(stack, job)["suspend"] is (action == "suspend")


class TestRejected:
    """Jobs that cannot be suspended or resumed, and do not change."""

    @ACTIONS
    def test_finished_job(self, stack: Stack[Any], api: Api, job: str, action: str) -> None:
        """A finished Job cannot be suspended or resumed: 409."""
        api.submit(name=job)
        await_state(api, job, "Succeeded")
        before = stored_state(stack, job)

        response = api.request("POST", f"/jobs/team-a/{job}/{action}")

        assert (response.status_code, response.json()["code"]) == (409, "job_finished")
        assert stored_state(stack, job) == before

    @ACTIONS
    def test_job_in_a_queue(self, stack: Stack[Any], api: Api, job: str, action: str) -> None:
        """A Job in a queue cannot be suspended or resumed: 409. The queue would revert it."""
        api.submit(name=job, queue="gpus", environment=RUN_FOREVER)
        before = stored_state(stack, job)

        response = api.request("POST", f"/jobs/team-a/{job}/{action}")

        assert (response.status_code, response.json()["code"]) == (409, "job_managed_by_queue")
        assert stored_state(stack, job) == before

    @ACTIONS
    def test_changed_job(self, stack: Stack[Any], api: Api, job: str, action: str) -> None:
        """An outdated ETag in `If-Match` is 412."""
        api.submit(name=job, environment=RUN_FOREVER)
        before = stored_state(stack, job)

        response = api.request("POST", f"/jobs/team-a/{job}/{action}", headers={"If-Match": '"1.00000000"'})

        assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
        assert stored_state(stack, job) == before

    @pytest.mark.parametrize("suspended", [False, True])
    def test_viewer(self, stack: Stack[Any], api: Api, suspended: bool) -> None:
        """A viewer may not suspend or resume a Job, even if it is in that state already: 403."""
        stack.cluster.apply(project_manifests("viewed", ["team-b"], ["team-a"]))
        metadata = {"name": f"seen-{suspended}".lower(), "namespace": "researcher-viewed"}
        stack.cluster.apply([by_hand(metadata, privileged=True, suspend=suspended)])
        before = stored_state(stack, metadata["name"], "viewed")

        statuses = [
            api.request("POST", f"/jobs/viewed/{metadata['name']}/{action}").status_code
            for action in ("suspend", "resume")
        ]

        assert (get_job(api, metadata["name"], "viewed")["name"], statuses) == (metadata["name"], [403, 403])
        assert stored_state(stack, metadata["name"], "viewed") == before


class TestCondition:
    """`If-Match`."""

    def test_current_etag(self, api: Api, job: str) -> None:
        """The current ETag is accepted."""
        tag = api.create_pending_job(job)

        assert api.request("POST", f"/jobs/team-a/{job}/suspend", headers={"If-Match": tag}).status_code == 202
