"""Pods on nodes that exist on paper, on a real control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.local.kubernetes.pod_status import SIMULATE
from tests.cluster.gpu_node import GpuNodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.json_client import Document, JsonClient

JOBS = "/apis/batch/v1/namespaces/gpu/jobs"
PODS = "/api/v1/namespaces/gpu/pods"


@pytest.fixture(scope="module")
def admin(plane: ControlPlane) -> Iterator[JsonClient]:
    """The administrator of a cluster with one node of eight GPUs."""
    plane.admin.create("/api/v1/namespaces", {"metadata": {"name": "gpu"}})
    with GpuNodes(plane.admin, run_seconds=0.1):
        yield plane.admin


def submit(admin: JsonClient, name: str, simulate: str = "", gpus: int = 1, image: str = "image:1") -> str:
    """The path of a new Job of one pod."""
    container = {"name": "main", "image": image, "resources": {"limits": {"nvidia.com/gpu": str(gpus)}}}
    template: dict[str, Any] = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    template["metadata"] = {"annotations": {SIMULATE: simulate} if simulate else {}}
    admin.create(JOBS, {"metadata": {"name": name}, "spec": {"backoffLimit": 0, "template": template}})
    return f"{JOBS}/{name}"


def await_pod(admin: JsonClient, job: str, holds: Callable[[Document], bool]) -> Document:
    """The pod of *job*, as soon as *holds* says yes of it."""
    return _await(admin, PODS, lambda pod: pod["metadata"]["labels"]["job-name"] == job and holds(pod))


def await_condition(admin: JsonClient, job: str, condition: str) -> Document:
    """The Job named *job*, as soon as it is *condition*."""
    return _await(
        admin,
        JOBS,
        lambda found: (
            found["metadata"]["name"] == job
            and any(one["type"] == condition for one in found["status"].get("conditions", []))
        ),
    )


def _await(admin: JsonClient, path: str, holds: Callable[[Document], bool]) -> Document:
    found = admin.get(path)
    items: list[Document] = found["items"]
    watch = admin.watch(path, found["metadata"]["resourceVersion"])
    try:
        for one in items:
            if holds(one):
                return one
        for kind, one in watch:
            if kind in {"ADDED", "MODIFIED", "DELETED"} and holds(one):
                return one
    finally:
        watch.close()
    raise AssertionError(f"nothing came of it: {admin.get(path)}")


def state(pod: Document) -> Document:
    """What the pod's container is doing."""
    states: list[Document] = [one["state"] for one in pod["status"].get("containerStatuses", [])]
    return states[0] if states else {}


class TestEnds:
    """Pods that run and end."""

    def test_a_pod_runs_then_succeeds(self, admin: JsonClient) -> None:
        """The Job is complete, by the real Job controller."""
        submit(admin, "fine")

        assert await_condition(admin, "fine", "Complete")["status"]["succeeded"] == 1

    @pytest.mark.parametrize(
        ("simulate", "exit_code", "reason"),
        [("exit-3", 3, "Error"), ("OOMKilled", 137, "OOMKilled"), ("Evicted", 137, "Error")],
    )
    def test_a_pod_fails_as_it_is_told(self, admin: JsonClient, simulate: str, exit_code: int, reason: str) -> None:
        """The Job has failed, and the container says why."""
        name = f"fails-{exit_code}-{simulate.lower()}"
        submit(admin, name, simulate)

        await_condition(admin, name, "Failed")
        pod = await_pod(admin, name, lambda pod: pod["status"]["phase"] == "Failed")
        assert (state(pod)["terminated"]["exitCode"], state(pod)["terminated"]["reason"]) == (exit_code, reason)
        assert pod["status"].get("reason") == ("Evicted" if simulate == "Evicted" else None)


class TestStays:
    """Pods that do not end by themselves."""

    @pytest.mark.parametrize(
        ("name", "simulate", "image", "reason"),
        [
            ("pull", "image-pull", "image:1", "ImagePullBackOff"),
            ("pull-by-name", "", "example.test/no-such-image:1", "ImagePullBackOff"),
            ("config", "config-error", "image:1", "CreateContainerConfigError"),
        ],
    )
    def test_a_pod_waits(self, admin: JsonClient, name: str, simulate: str, image: str, reason: str) -> None:
        """The container says what for, and an event too; deleting the Job takes the pod away."""
        job = submit(admin, name, simulate, image=image)

        pod = await_pod(admin, name, lambda pod: "waiting" in state(pod))
        assert (pod["status"]["phase"], state(pod)["waiting"]["reason"]) == ("Pending", reason)
        _await(
            admin,
            "/api/v1/namespaces/gpu/events",
            lambda event: event["involvedObject"]["name"] == pod["metadata"]["name"] and event["type"] == "Warning",
        )
        remove(admin, job, pod)

    def test_a_pod_runs_until_it_is_deleted(self, admin: JsonClient) -> None:
        """It outlives the others' running time, and goes when its Job is deleted."""
        job = submit(admin, "forever", "run-forever")
        submit(admin, "meanwhile")

        await_condition(admin, "meanwhile", "Complete")
        pod = await_pod(admin, "forever", lambda pod: pod["status"]["phase"] == "Running")
        remove(admin, job, pod)

    def test_more_gpus_than_a_node_has(self, admin: JsonClient) -> None:
        """The real scheduler leaves the pod waiting, and says so."""
        job = submit(admin, "huge", gpus=9)

        pod = await_pod(
            admin,
            "huge",
            lambda pod: any(one.get("reason") == "Unschedulable" for one in pod["status"].get("conditions", [])),
        )
        assert "Insufficient nvidia.com/gpu" in pod["status"]["conditions"][0]["message"]
        remove(admin, job, pod)


def remove(admin: JsonClient, job: str, pod: Document) -> None:
    """Deletes *job*, and waits until *pod* is gone."""
    name = pod["metadata"]["name"]
    watch = admin.watch(PODS, admin.get(PODS)["metadata"]["resourceVersion"])
    admin.delete(job, propagationPolicy="Background")
    assert any(kind == "DELETED" and one["metadata"]["name"] == name for kind, one in watch)
    watch.close()
