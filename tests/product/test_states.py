"""Every state that a Job can be in, brought about on the cluster, and what the API says of it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from infra.localcluster.pod_status import MISSING_IMAGE, SIMULATE_VARIABLE
from tests.product.by_hand import by_hand
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack
    from tests.support.api import Api

RUNS_ON = {SIMULATE_VARIABLE: "run-forever"}


def shown(api: Api, name: str) -> dict[str, Any]:
    """The Job as get_job shows it."""
    view: dict[str, Any] = api.ask("GET", f"/jobs/team-a/{name}").raise_for_status().json()["data"][0]
    return view


def becomes(api: Api, name: str, status: str, reason: str | None = None) -> dict[str, Any]:
    """The Job, once it is in that state for that reason."""
    return eventually(lambda: shown(api, name), lambda view: (view["status"], view["reason"]) == (status, reason))


@pytest.fixture
def job(api: Api) -> Iterator[str]:
    """The name of a Job of the test's own."""
    name = f"state-{secrets.token_hex(4)}"
    yield name
    api.ask("DELETE", f"/jobs/team-a/{name}")


class TestGoesWell:
    """A Job that nothing hinders."""

    def test_runs_and_succeeds(self, api: Api, job: str) -> None:
        """Its times, node and pods are told; its GPUs are free again."""
        made = api.submit(name=job, gpu=2).json()

        view = becomes(api, job, "Succeeded")

        assert (made["status"], made["requestedGPUs"]) == ("Pending", 2)
        assert view["createdAt"] <= view["startedAt"] <= view["finishedAt"]
        assert (view["pods"]["succeeded"], view["nodes"], view["currentAllocatedGPUs"]) == (1, [], 0)

    def test_shows_where_it_runs(self, api: Api, job: str) -> None:
        """The node, and the GPUs that it holds."""
        api.submit(name=job, gpu=2, environment=RUNS_ON)

        becomes(api, job, "Running")
        view = eventually(lambda: shown(api, job), lambda view: view["pods"]["ready"] == 1)

        assert (view["nodes"], view["currentAllocatedGPUs"]) == (["gpu-node-0"], 2)

    def test_is_shown_so_by_a_replay_too(self, api: Api, job: str) -> None:
        """Who sends the request again reads what who gets the Job reads."""
        api.submit(name=job, gpu=2, environment=RUNS_ON)
        becomes(api, job, "Running")
        eventually(lambda: shown(api, job), lambda view: view["pods"]["ready"] == 1)

        again = api.submit(name=job, gpu=2, environment=RUNS_ON)

        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.json() == shown(api, job)

    def test_indexed_pods_all_succeed(self, api: Api, job: str) -> None:
        """As many completions as were asked for."""
        api.submit(name=job, indexed=True, completions=3, parallelism=2)

        assert becomes(api, job, "Succeeded")["pods"]["succeeded"] == 3


class TestWaits:
    """A Job that does not start, and why."""

    def test_for_gpus(self, api: Api, job: str) -> None:
        """No node has as many."""
        api.submit(name=job, gpu=16)

        assert "Insufficient nvidia.com/gpu" in becomes(api, job, "Pending", "Unschedulable")["message"]

    def test_for_a_node_of_its_type(self, api: Api, job: str) -> None:
        """No node is of the type that was asked for."""
        api.submit(name=job, nodeType="p99.gigantic")

        assert "node affinity/selector" in becomes(api, job, "Pending", "Unschedulable")["message"]

    def test_for_an_image_that_is_not_there(self, api: Api, job: str) -> None:
        """The kubelet's word for it."""
        api.submit(name=job, image=f"registry.example/{MISSING_IMAGE}:1")

        assert MISSING_IMAGE in becomes(api, job, "Pending", "ImagePullBackOff")["message"]

    def test_for_a_secret_that_is_not_there(self, api: Api, job: str) -> None:
        """The container cannot be configured."""
        api.submit(name=job, environment={SIMULATE_VARIABLE: "config-error"})

        becomes(api, job, "Pending", "CreateContainerConfigError")

    def test_for_quota(self, api: Api, job: str) -> None:
        """The Job is there, but the quota lets no pod in as long as another one takes all of it."""
        api.submit(name=f"{job}-first", gpu=16)
        becomes(api, f"{job}-first", "Pending", "Unschedulable")
        api.submit(name=job, gpu=8)

        becomes(api, job, "Pending", "PodsNotCreated")

        api.ask("DELETE", f"/jobs/team-a/{job}-first")

    def test_next_one_gets_the_gpus_of_a_deleted_one(self, api: Api, job: str) -> None:
        """Deleting a running Job frees its GPUs for the one that waits for them."""
        api.submit(name=f"{job}-first", gpu=8, environment=RUNS_ON)
        becomes(api, f"{job}-first", "Running")
        api.submit(name=job, gpu=8, environment=RUNS_ON)
        becomes(api, job, "Pending", "Unschedulable")

        api.ask("DELETE", f"/jobs/team-a/{job}-first")

        assert becomes(api, job, "Running")["currentAllocatedGPUs"] == 8


class TestIsOnItsWay:
    """A Job between two states."""

    def test_its_container_is_being_made(self, api: Api, job: str) -> None:
        """It has a node, and pulls its image: no trouble, so no reason."""
        api.submit(name=job, gpu=1, environment={SIMULATE_VARIABLE: "starting"})

        becomes(api, job, "ContainerCreating")

    def test_its_node_is_lost(self, api: Api, job: str) -> None:
        """Nobody can say how its pod goes."""
        api.submit(name=job, gpu=1, environment={SIMULATE_VARIABLE: "node-lost"})

        becomes(api, job, "Unknown")

    def test_it_is_being_deleted(self, stack: Stack, api: Api, job: str) -> None:
        """Something holds it; meanwhile its name is taken, and whoever wants it is told when to ask again."""
        metadata = {"name": job, "finalizers": ["example.com/held"]}
        stack.cluster.apply([by_hand(metadata, suspend=True)])
        api.ask("DELETE", f"/jobs/team-a/{job}")

        assert shown(api, job)["status"] == "Terminating"
        refused = api.submit(name=job)
        assert (refused.status_code, refused.json()["code"]) == (409, "job_being_deleted")
        assert int(refused.headers["Retry-After"]) > 0

        stack.cluster.apply([by_hand({**metadata, "finalizers": []}, suspend=True)])
        assert api.ask("GET", f"/jobs/team-a/{job}").status_code == 404


class TestFails:
    """A Job that ends badly, and how."""

    @pytest.mark.parametrize(
        ("simulated", "reason", "message"),
        [
            ("exit-3", "Error", "The container ended with exit code 3."),
            ("OOMKilled", "OOMKilled", "The container ended with exit code 137."),
            ("Evicted", "Evicted", "The node was low on resource: ephemeral-storage."),
        ],
    )
    def test_as_its_last_pod_did(self, api: Api, job: str, simulated: str, reason: str, message: str) -> None:
        """get_job tells of the pod, which says more than the Job."""
        api.submit(name=job, backoffLimit=0, environment={SIMULATE_VARIABLE: simulated})

        assert becomes(api, job, "Failed", reason)["message"] == message

    def test_by_its_deadline(self, api: Api, job: str) -> None:
        """It ran longer than it may."""
        api.submit(name=job, maxRuntimeSeconds=1, environment=RUNS_ON)

        becomes(api, job, "Failed", "DeadlineExceeded")

    def test_in_a_list_as_the_job_itself_says(self, api: Api, job: str) -> None:
        """A list asks for no pods of Jobs that have ended."""
        api.submit(name=job, backoffLimit=0, environment={SIMULATE_VARIABLE: "exit-3"}, labels={"listed": job})
        becomes(api, job, "Failed", "Error")

        listed = api.ask("GET", f"/jobs/team-a?label=listed={job}&status=Failed").json()["data"]

        assert [(view["name"], view["reason"]) for view in listed] == [(job, "BackoffLimitExceeded")]


class TestByOtherMeans:
    """Jobs that somebody made with kubectl."""

    @pytest.mark.parametrize(
        ("labels", "status"), [({}, "Suspended"), ({"kueue.x-k8s.io/queue-name": "gpus"}, "Queued")]
    )
    def test_suspended_ones(self, stack: Stack, api: Api, job: str, labels: dict[str, str], status: str) -> None:
        """A suspended Job waits for a person, or for its queue."""
        metadata = {"name": job, "labels": labels}
        stack.cluster.apply([by_hand(metadata, suspend=True)])

        becomes(api, job, status)

    def test_are_listed_and_deleted_as_any_other(self, stack: Stack, api: Api, job: str) -> None:
        """They have no user, no type and maybe a dot in their name, and are shown all the same."""
        name = f"{job}.v2"
        stack.cluster.apply([by_hand({"name": name}, suspend=True)])

        found = api.ask("GET", "/jobs/team-a?jobTypeFilter=Train").json()["data"]

        assert name in [view["name"] for view in found]
        assert (shown(api, name)["user"], shown(api, name)["type"]) == ("", "Train")
        assert api.ask("DELETE", f"/jobs/team-a/{name}").status_code == 200
        assert name not in api.names()

    def test_pod_security_lets_no_privileged_pod_in(self, stack: Stack, api: Api, job: str) -> None:
        """The namespace is the second lock: such a Job never gets a pod."""
        stack.cluster.apply([by_hand({"name": job}, privileged=True)])

        becomes(api, job, "Pending", "PodsNotCreated")
