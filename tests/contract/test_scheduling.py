"""What the scheduler makes of priorities, taints and claims, and how the pods of an Indexed Job are numbered."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from tests.support.eventually import eventually
from tests.support.namespace import job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.json_client import Document
    from tests.support.namespace import TestNamespace

LOW = "contract-low"
INDEX = "batch.kubernetes.io/job-completion-index"


@pytest.fixture
def low(space: TestNamespace) -> Iterator[str]:
    """A PriorityClass below all others."""
    classes = "/apis/scheduling.k8s.io/v1/priorityclasses"
    space.client.create(classes, {"metadata": {"name": LOW}, "value": -5})
    yield LOW
    space.client.delete(f"{classes}/{LOW}")


@pytest.fixture
def node(space: TestNamespace) -> Iterator[str]:
    """The only node, which is as before afterwards."""
    (found,) = space.client.get("/api/v1/nodes")["items"]
    path = f"/api/v1/nodes/{found['metadata']['name']}"
    yield path
    space.client.patch(path, {"spec": {"taints": None, "unschedulable": None}})


def message(space: TestNamespace, name: str) -> str:
    """Why the pod of the Job *name* has no node, once the scheduler has said so."""

    def look() -> list[str]:
        conditions = [one for pod in space.pods_of(name) for one in pod["status"].get("conditions", [])]
        return [one["message"] for one in conditions if one.get("reason") == "Unschedulable"]

    return eventually(look, bool)[0]


def without_a_node(space: TestNamespace) -> str:
    """The name of a new Job whose pod was given no node, else nothing: the scheduler may not know of a change yet."""
    name = f"waits-{secrets.token_hex(4)}"
    space.submit(job(name, "run-forever"))
    (pod,) = eventually(
        lambda: space.pods_of(name),
        lambda pods: any(one["type"] == "PodScheduled" for pod in pods for one in pod["status"].get("conditions", [])),
    )
    if "nodeName" not in pod["spec"]:
        return name
    space.client.delete(f"{space.jobs}/{name}")
    return ""


def of_class(manifest: Document, priority_class: str) -> Document:
    """*manifest* with pods of *priority_class*."""
    manifest["spec"]["template"]["spec"]["priorityClassName"] = priority_class
    return manifest


class TestPreemption:
    """A pod of higher priority takes the room of others."""

    def test_the_lower_one_goes(self, space: TestNamespace, low: str) -> None:
        """It is gone, and an event says for whom."""
        space.submit(of_class(job("meek", "run-forever", gpus=6), low))
        (meek,) = space.await_pods("meek", phase="Running")

        space.submit(job("bold", "run-forever", gpus=6))

        (bold,) = space.await_pods("bold", phase="Running")
        eventually(
            lambda: space.pods_of("meek"),
            lambda pods: meek["metadata"]["uid"] not in {one["metadata"]["uid"] for one in pods},
        )
        (told,) = eventually(lambda: space.events("Preempted"), bool)
        assert told == f"Preempted by pod {bold['metadata']['uid']} on node {bold['spec']['nodeName']}"

    def test_an_equal_one_stays(self, space: TestNamespace) -> None:
        """Whoever comes later waits."""
        space.submit(job("first", "run-forever", gpus=6))
        space.await_pods("first", phase="Running")

        space.submit(job("second", gpus=6))

        assert message(space, "second").endswith("1 No preemption victims found for incoming pod.")
        space.await_pods("first", phase="Running")


class TestNode:
    """A node that is kept for others."""

    @pytest.mark.parametrize(
        ("spec", "why"),
        [
            ({"taints": [{"key": "kept", "effect": "NoSchedule"}]}, "1 node(s) had untolerated taint(s)."),
            ({"unschedulable": True}, "1 node(s) were unschedulable."),
        ],
        ids=["taint", "cordon"],
    )
    def test_takes_no_pod(self, space: TestNamespace, node: str, spec: Document, why: str) -> None:
        """The pod waits, and says what for; it comes when the node is free for all."""
        space.client.patch(node, {"spec": spec})

        name = eventually(lambda: without_a_node(space), bool)

        assert why in message(space, name)
        space.client.patch(node, {"spec": dict.fromkeys(spec)})
        space.await_pods(name, phase="Running")


class TestClaims:
    """A volume that there is not."""

    def test_a_claim_that_is_missing(self, space: TestNamespace) -> None:
        """It is named."""
        manifest = job("needy")
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": "none"}}
        manifest["spec"]["template"]["spec"]["volumes"] = [volume]

        space.submit(manifest)

        assert message(space, "needy") == '0/1 nodes are available: persistentvolumeclaim "none" not found. not found'


class TestIndexes:
    """The pods of an Indexed Job."""

    def test_each_has_its_own(self, space: TestNamespace) -> None:
        """As a label, an annotation and in its name."""
        space.submit(job("many", "run-forever", completionMode="Indexed", completions=2, parallelism=2))

        pods = space.await_pods("many", 2, phase="Running")

        marks = [(pod["metadata"]["labels"][INDEX], pod["metadata"]["annotations"][INDEX]) for pod in pods]
        assert sorted(marks) == [("0", "0"), ("1", "1")]
        assert sorted(pod["metadata"]["name"][:7] for pod in pods) == ["many-0-", "many-1-"]

    def test_created_pods_are_told_of(self, space: TestNamespace) -> None:
        """The Job's events name them, also when they are gone."""
        space.submit(job("late", "run-forever", activeDeadlineSeconds=1))
        (pod,) = space.await_pods("late", phase="Running")
        space.await_end("late")

        assert space.events("SuccessfulCreate") == [f"Created pod: {pod['metadata']['name']}"]
        assert eventually(lambda: space.events("SuccessfulDelete"), bool) == [f"Deleted pod: {pod['metadata']['name']}"]
        assert eventually(lambda: space.events("DeadlineExceeded"), bool) == [
            "Job was active longer than specified deadline"
        ]
