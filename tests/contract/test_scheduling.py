"""The scheduler: priorities, taints and volume claims; and the indexes of an Indexed Job's pods."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from tests.support.eventually import eventually
from tests.support.namespace import job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.json_client import Document
    from tests.support.namespace import NamespaceClient

LOW = "contract-low"
INDEX = "batch.kubernetes.io/job-completion-index"


@pytest.fixture
def low(namespace: NamespaceClient) -> Iterator[str]:
    """Create a PriorityClass below all others, and return its name."""
    classes = "/apis/scheduling.k8s.io/v1/priorityclasses"
    namespace.client.create(classes, {"metadata": {"name": LOW}, "value": -5})
    yield LOW
    namespace.client.delete(f"{classes}/{LOW}")


@pytest.fixture
def node(namespace: NamespaceClient) -> Iterator[str]:
    """Return the path of the only node, and restore the node afterwards."""
    (found,) = namespace.client.get("/api/v1/nodes")["items"]
    path = f"/api/v1/nodes/{found['metadata']['name']}"
    yield path
    namespace.client.patch(path, {"spec": {"taints": None, "unschedulable": None}})


def message(namespace: NamespaceClient, name: str) -> str:
    """Wait until the scheduler has reported why the Job's pod has no node, and return the message."""

    def messages() -> list[str]:
        conditions = [each for pod in namespace.pods_of(name) for each in pod["status"].get("conditions", [])]
        return [each["message"] for each in conditions if each.get("reason") == "Unschedulable"]

    return eventually(messages, bool)[0]


def create_unscheduled(namespace: NamespaceClient) -> str:
    """Create a Job and return its name if its pod was not scheduled; otherwise delete it and return an empty string."""
    name = f"waits-{secrets.token_hex(4)}"
    namespace.submit(job(name, "run-forever"))
    (pod,) = eventually(
        lambda: namespace.pods_of(name),
        lambda pods: any(
            each["type"] == "PodScheduled" for pod in pods for each in pod["status"].get("conditions", [])
        ),
    )
    if "nodeName" not in pod["spec"]:
        return name
    namespace.client.delete(f"{namespace.jobs}/{name}")
    return ""


def with_priority(manifest: Document, priority_class: str) -> Document:
    """Return *manifest* with pods of *priority_class*."""
    manifest["spec"]["template"]["spec"]["priorityClassName"] = priority_class
    return manifest


class TestPreemption:
    """Preemption by a pod of higher priority."""

    def test_lower_priority_is_preempted(self, namespace: NamespaceClient, low: str) -> None:
        """The pod of lower priority is deleted, and an event names the preempting pod."""
        namespace.submit(with_priority(job("low", "run-forever", gpus=6), low))
        (low_pod,) = namespace.await_pods("low", phase="Running")

        namespace.submit(job("high", "run-forever", gpus=6))

        (high_pod,) = namespace.await_pods("high", phase="Running")
        eventually(
            lambda: namespace.pods_of("low"),
            lambda pods: low_pod["metadata"]["uid"] not in {each["metadata"]["uid"] for each in pods},
        )
        (preempted,) = eventually(lambda: namespace.events("Preempted"), bool)
        assert preempted == f"Preempted by pod {high_pod['metadata']['uid']} on node {high_pod['spec']['nodeName']}"

    def test_preempted_pod_has_its_grace_period(self, namespace: NamespaceClient, low: str) -> None:
        """The preempted pod has the condition DisruptionTarget, and the new one waits until it has ended."""
        namespace.submit(with_priority(job("low", "ignore-sigterm", gpus=6), low))
        (pod,) = namespace.await_pods("low", phase="Running")
        path = f"{namespace.pods}/{pod['metadata']['name']}"

        namespace.submit(job("high", "run-forever", gpus=6))

        preempted = eventually(lambda: namespace.client.get(path), lambda pod: "deletionTimestamp" in pod["metadata"])
        (condition,) = [each for each in preempted["status"]["conditions"] if each["type"] == "DisruptionTarget"]
        assert (condition["status"], condition["reason"]) == ("True", "PreemptionByScheduler")
        assert condition["message"] == "default-scheduler: preempting to accommodate a higher priority pod"
        namespace.await_pods("high", phase="Pending")
        namespace.client.delete(path, gracePeriodSeconds=0)
        namespace.await_pods("high", phase="Running")

    def test_equal_priority_is_not_preempted(self, namespace: NamespaceClient) -> None:
        """A pod of equal priority is not preempted, and the new pod is pending."""
        namespace.submit(job("first", "run-forever", gpus=6))
        namespace.await_pods("first", phase="Running")

        namespace.submit(job("second", gpus=6))

        assert message(namespace, "second").endswith("1 No preemption victims found for incoming pod.")
        namespace.await_pods("first", phase="Running")


class TestNode:
    """A node with a taint, or cordoned."""

    @pytest.mark.parametrize(
        ("spec", "why"),
        [
            ({"taints": [{"key": "reserved", "effect": "NoSchedule"}]}, "1 node(s) had untolerated taint(s)."),
            ({"unschedulable": True}, "1 node(s) were unschedulable."),
        ],
        ids=["taint", "cordon"],
    )
    def test_schedules_no_pod(self, namespace: NamespaceClient, node: str, spec: Document, why: str) -> None:
        """The pod is pending with a message, and is scheduled when the node is available again."""
        namespace.client.patch(node, {"spec": spec})

        name = eventually(lambda: create_unscheduled(namespace), bool)

        assert why in message(namespace, name)
        namespace.client.patch(node, {"spec": dict.fromkeys(spec)})
        namespace.await_pods(name, phase="Running")


class TestClaims:
    """A missing volume claim."""

    def test_missing_claim(self, namespace: NamespaceClient) -> None:
        """The message names the claim."""
        manifest = job("needy")
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": "none"}}
        manifest["spec"]["template"]["spec"]["volumes"] = [volume]

        namespace.submit(manifest)

        assert (
            message(namespace, "needy") == '0/1 nodes are available: persistentvolumeclaim "none" not found. not found'
        )


class TestIndexes:
    """The pods of an Indexed Job."""

    def test_each_pod_has_its_index(self, namespace: NamespaceClient) -> None:
        """The index is a label, an annotation and part of the name."""
        namespace.submit(job("many", "run-forever", completionMode="Indexed", completions=2, parallelism=2))

        pods = namespace.await_pods("many", 2, phase="Running")

        indexes = [(pod["metadata"]["labels"][INDEX], pod["metadata"]["annotations"][INDEX]) for pod in pods]
        assert sorted(indexes) == [("0", "0"), ("1", "1")]
        assert sorted(pod["metadata"]["name"][:7] for pod in pods) == ["many-0-", "many-1-"]

    def test_events_name_the_pods(self, namespace: NamespaceClient) -> None:
        """The Job's events name the pods that were created, even after their deletion."""
        namespace.submit(job("late", "run-forever", activeDeadlineSeconds=1))
        (pod,) = namespace.await_pods("late", phase="Running")
        namespace.await_end("late")

        assert namespace.events("SuccessfulCreate") == [f"Created pod: {pod['metadata']['name']}"]
        assert eventually(lambda: namespace.events("SuccessfulDelete"), bool) == [
            f"Deleted pod: {pod['metadata']['name']}"
        ]
        assert eventually(lambda: namespace.events("DeadlineExceeded"), bool) == [
            "Job was active longer than specified deadline"
        ]
