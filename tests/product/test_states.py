"""Every state of a Job, produced on the cluster, and its representation in the API."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from infra.localcluster.simulation import MISSING_IMAGE, SIMULATE_VARIABLE
from tests.product.by_hand import by_hand
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack
    from tests.support.api import Api

RUN_FOREVER = {SIMULATE_VARIABLE: "run-forever"}


def get_job(api: Api, name: str) -> dict[str, Any]:
    """Return the Job as get_job represents it."""
    view: dict[str, Any] = api.request("GET", f"/jobs/team-a/{name}").raise_for_status().json()["data"][0]
    return view


def await_state(api: Api, name: str, status: str, reason: str | None = None) -> dict[str, Any]:
    """Wait until the Job has that status and reason, and return it."""
    return eventually(lambda: get_job(api, name), lambda view: (view["status"], view["reason"]) == (status, reason))


@pytest.fixture
def job(api: Api) -> Iterator[str]:
    """Return a unique Job name, and delete the Job afterwards."""
    name = f"state-{secrets.token_hex(4)}"
    yield name
    api.request("DELETE", f"/jobs/team-a/{name}")


class TestSuccess:
    """A Job that runs without problems."""

    def test_runs_and_succeeds(self, api: Api, job: str) -> None:
        """A successful Job has its times and pod counts, and no longer holds GPUs."""
        created = api.submit(name=job, gpu=2).json()

        view = await_state(api, job, "Succeeded")

        assert (created["status"], created["requestedGPUs"]) == ("Pending", 2)
        assert view["createdAt"] <= view["startedAt"] <= view["finishedAt"]
        assert (view["pods"]["succeeded"], view["nodes"], view["currentAllocatedGPUs"]) == (1, [], 0)

    def test_running_job_has_its_node(self, api: Api, job: str) -> None:
        """A running Job has its node, and the number of GPUs that it holds."""
        api.submit(name=job, gpu=2, environment=RUN_FOREVER)

        await_state(api, job, "Running")
        view = eventually(lambda: get_job(api, job), lambda view: view["pods"]["ready"] == 1)

        assert (view["nodes"], view["currentAllocatedGPUs"]) == (["gpu-node-0"], 2)

    def test_replay_has_the_same_view(self, api: Api, job: str) -> None:
        """A replay of the submission returns the same view as get_job."""
        api.submit(name=job, gpu=2, environment=RUN_FOREVER)
        await_state(api, job, "Running")
        eventually(lambda: get_job(api, job), lambda view: view["pods"]["ready"] == 1)

        response = api.submit(name=job, gpu=2, environment=RUN_FOREVER)

        assert response.headers["Idempotent-Replayed"] == "true"
        assert response.json() == get_job(api, job)

    def test_indexed_pods_all_succeed(self, api: Api, job: str) -> None:
        """An Indexed Job succeeds with the requested number of completions."""
        api.submit(name=job, indexed=True, completions=3, parallelism=2)

        assert await_state(api, job, "Succeeded")["pods"]["succeeded"] == 3


class TestPending:
    """A Job that does not start, and the reason."""

    def test_for_gpus(self, api: Api, job: str) -> None:
        """A Job that requests more GPUs than any node has is unschedulable."""
        api.submit(name=job, gpu=16)

        assert "Insufficient nvidia.com/gpu" in await_state(api, job, "Pending", "Unschedulable")["message"]

    def test_for_a_node_type(self, api: Api, job: str) -> None:
        """A Job with a node type that does not exist is unschedulable."""
        api.submit(name=job, nodeType="p99.gigantic")

        assert "node affinity/selector" in await_state(api, job, "Pending", "Unschedulable")["message"]

    def test_for_a_missing_image(self, api: Api, job: str) -> None:
        """A missing image is reported with the reason of the kubelet."""
        api.submit(name=job, image=f"registry.example/{MISSING_IMAGE}:1")

        assert MISSING_IMAGE in await_state(api, job, "Pending", "ImagePullBackOff")["message"]

    def test_for_a_missing_secret(self, api: Api, job: str) -> None:
        """A container with a missing Secret is reported as a configuration error."""
        api.submit(name=job, environment={SIMULATE_VARIABLE: "config-error"})

        await_state(api, job, "Pending", "CreateContainerConfigError")

    def test_for_quota(self, api: Api, job: str) -> None:
        """A Job whose pods exceed the quota exists, and is pending without pods."""
        api.submit(name=f"{job}-first", gpu=16)
        await_state(api, f"{job}-first", "Pending", "Unschedulable")
        api.submit(name=job, gpu=8)

        await_state(api, job, "Pending", "PodsNotCreated")

        api.request("DELETE", f"/jobs/team-a/{job}-first")

    def test_gpus_of_a_deleted_job_are_free(self, api: Api, job: str) -> None:
        """Deleting a running Job frees its GPUs for a waiting one."""
        api.submit(name=f"{job}-first", gpu=8, environment=RUN_FOREVER)
        await_state(api, f"{job}-first", "Running")
        api.submit(name=job, gpu=8, environment=RUN_FOREVER)
        await_state(api, job, "Pending", "Unschedulable")

        api.request("DELETE", f"/jobs/team-a/{job}-first")

        assert await_state(api, job, "Running")["currentAllocatedGPUs"] == 8


class TestInTransition:
    """A Job between two states."""

    def test_container_creating(self, api: Api, job: str) -> None:
        """A Job whose pod is scheduled and pulls its image has no reason."""
        api.submit(name=job, gpu=1, environment={SIMULATE_VARIABLE: "starting"})

        await_state(api, job, "ContainerCreating")

    def test_node_is_lost(self, api: Api, job: str) -> None:
        """A Job whose node is lost has the status Unknown."""
        api.submit(name=job, gpu=1, environment={SIMULATE_VARIABLE: "node-lost"})

        await_state(api, job, "Unknown", "NodeLost")

    def test_terminating(self, stack: Stack, api: Api, job: str) -> None:
        """A Job that a finalizer holds is terminating; meanwhile its name is taken, with Retry-After."""
        metadata = {"name": job, "finalizers": ["example.com/held"]}
        stack.cluster.apply([by_hand(metadata, suspend=True)])
        api.request("DELETE", f"/jobs/team-a/{job}")

        assert get_job(api, job)["status"] == "Terminating"
        response = api.submit(name=job)
        assert (response.status_code, response.json()["code"]) == (409, "job_being_deleted")
        assert int(response.headers["Retry-After"]) > 0

        stack.cluster.apply([by_hand({**metadata, "finalizers": []}, suspend=True)])
        assert api.request("GET", f"/jobs/team-a/{job}").status_code == 404


class TestFailure:
    """A Job that has failed, and the reason."""

    @pytest.mark.parametrize(
        ("simulated", "reason", "message"),
        [
            ("exit-3", "Error", "The container ended with exit code 3."),
            ("OOMKilled", "OOMKilled", "The container ended with exit code 137."),
            ("Evicted", "Evicted", "The node was low on resource: ephemeral-storage."),
        ],
    )
    def test_reason_is_that_of_the_last_pod(
        self, api: Api, job: str, simulated: str, reason: str, message: str
    ) -> None:
        """get_job returns the reason of the pod, which is more specific than that of the Job."""
        api.submit(name=job, backoffLimit=0, environment={SIMULATE_VARIABLE: simulated})

        assert await_state(api, job, "Failed", reason)["message"] == message

    def test_deadline_exceeded(self, api: Api, job: str) -> None:
        """A Job that exceeds its maximum runtime fails with DeadlineExceeded."""
        api.submit(name=job, maxRuntimeSeconds=1, environment=RUN_FOREVER)

        await_state(api, job, "Failed", "DeadlineExceeded")

    def test_reason_in_a_list_is_that_of_the_job(self, api: Api, job: str) -> None:
        """A list does not read the pods of finished Jobs, and returns the reason of the Job."""
        api.submit(name=job, backoffLimit=0, environment={SIMULATE_VARIABLE: "exit-3"}, labels={"listed": job})
        await_state(api, job, "Failed", "Error")

        listed = api.request("GET", f"/jobs/team-a?label=listed={job}&status=Failed").json()["data"]

        assert [(view["name"], view["reason"]) for view in listed] == [(job, "BackoffLimitExceeded")]


class TestJobsOfKubectl:
    """Jobs that were created with kubectl."""

    @pytest.mark.parametrize(
        ("labels", "status"), [({}, "Suspended"), ({"kueue.x-k8s.io/queue-name": "gpus"}, "Queued")]
    )
    def test_suspended(self, stack: Stack, api: Api, job: str, labels: dict[str, str], status: str) -> None:
        """A suspended Job is Suspended, or Queued if it has a queue."""
        metadata = {"name": job, "labels": labels}
        stack.cluster.apply([by_hand(metadata, suspend=True)])

        await_state(api, job, status)

    def test_are_listed_and_deleted(self, stack: Stack, api: Api, job: str) -> None:
        """Jobs without a user and a type, and with a dot in the name, are listed and deleted."""
        name = f"{job}.v2"
        stack.cluster.apply([by_hand({"name": name}, suspend=True)])

        found = api.request("GET", "/jobs/team-a?jobTypeFilter=Train").json()["data"]

        assert name in [view["name"] for view in found]
        assert (get_job(api, name)["user"], get_job(api, name)["type"]) == ("", "Train")
        assert api.request("DELETE", f"/jobs/team-a/{name}").status_code == 200
        assert name not in api.names()

    def test_privileged_pods_are_not_created(self, stack: Stack, api: Api, job: str) -> None:
        """Pod Security of the namespace rejects privileged pods, so such a Job stays pending."""
        stack.cluster.apply([by_hand({"name": job}, privileged=True)])

        await_state(api, job, "Pending", "PodsNotCreated")
