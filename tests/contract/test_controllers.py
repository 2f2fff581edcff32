"""The Job controller, the scheduler and the TTL controller."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.eventually import eventually
from tests.support.namespace import job

if TYPE_CHECKING:
    from tests.cluster.json_client import Document
    from tests.support.namespace import NamespaceClient


class TestEnd:
    """The end of a Job."""

    def test_complete(self, namespace: NamespaceClient) -> None:
        """A Job whose pods succeeded is complete, and its status has their count and the times."""
        namespace.submit(job("fine", completions=2, parallelism=2))

        assert ending(namespace.await_end("fine")) == ("Complete", "CompletionsReached")
        status = namespace.job("fine")["status"]
        assert (status["succeeded"], status.get("failed", 0)) == (2, 0)
        assert status["startTime"] <= status["completionTime"]
        assert "active" not in status

    def test_success_criteria_met_before_complete(self, namespace: NamespaceClient) -> None:
        """Since 1.31, SuccessCriteriaMet precedes Complete, until the last pod is accounted for."""
        namespace.submit(job("fine"))
        namespace.await_end("fine")

        conditions = namespace.job("fine")["status"]["conditions"]
        assert [each["type"] for each in conditions] == ["SuccessCriteriaMet", "Complete"]

    def test_backoff_limit_exceeded(self, namespace: NamespaceClient) -> None:
        """A Job with one failure more than its backoff limit has failed."""
        namespace.submit(job("bad", "exit-3", backoffLimit=0))

        assert ending(namespace.await_end("bad")) == ("Failed", "BackoffLimitExceeded")
        status = namespace.job("bad")["status"]
        assert (status["failed"], "completionTime" in status) == (1, False)
        assert [each["type"] for each in status["conditions"]] == ["FailureTarget", "Failed"]

    def test_deadline_exceeded(self, namespace: NamespaceClient) -> None:
        """A Job that exceeds its deadline has failed, and its pods are deleted."""
        namespace.submit(job("late", "run-forever", activeDeadlineSeconds=1))

        assert ending(namespace.await_end("late")) == ("Failed", "DeadlineExceeded")
        namespace.await_pods("late", 0)

    def test_time_to_live(self, namespace: NamespaceClient) -> None:
        """A finished Job is deleted after its TTL, together with its pods."""
        namespace.submit(job("brief", ttlSecondsAfterFinished=0))

        eventually(lambda: namespace.client.get(namespace.jobs)["items"], lambda items: not items)
        namespace.await_pods("brief", 0)

    def test_a_failed_pod_is_replaced(self, namespace: NamespaceClient) -> None:
        """A failed pod within the backoff limit is replaced, and not deleted, so its log remains."""
        namespace.submit(job("again", "exit-1", backoffLimit=1))

        eventually(lambda: len(namespace.pods_of("again")), lambda count: count == 2)


class TestSuspend:
    """Suspending and resuming a Job."""

    def test_deletes_the_pods(self, namespace: NamespaceClient) -> None:
        """A merge patch suspends a Job: its pods are deleted, and its status has the condition and no start time."""
        namespace.submit(job("paused", "run-forever"))
        namespace.await_pods("paused", phase="Running")

        namespace.client.patch(f"{namespace.jobs}/paused", {"spec": {"suspend": True}})

        namespace.await_pods("paused", 0)
        status = eventually(lambda: namespace.job("paused")["status"], lambda status: "conditions" in status)
        assert suspensions(status) == [("Suspended", "True", "JobSuspended")]
        assert not {"active", "startTime"} & status.keys()

    def test_resumes(self, namespace: NamespaceClient) -> None:
        """A resumed Job has pods again, and the condition Suspended is False."""
        namespace.submit(job("back", "run-forever", suspend=True))
        eventually(lambda: namespace.job("back")["status"], lambda status: "conditions" in status)

        namespace.client.patch(f"{namespace.jobs}/back", {"spec": {"suspend": False}})

        namespace.await_pods("back", phase="Running")
        status = eventually(lambda: namespace.job("back")["status"], lambda status: status.get("active") == 1)
        assert suspensions(status) == [("Suspended", "False", "JobResumed")]
        assert "startTime" in status

    def test_generation_counts_changes(self, namespace: NamespaceClient) -> None:
        """A change of the spec increments the generation; a change of labels does not."""
        namespace.submit(job("counted", suspend=True))

        labelled = namespace.client.patch(f"{namespace.jobs}/counted", {"metadata": {"labels": {"team": "red"}}})
        resumed = namespace.client.patch(f"{namespace.jobs}/counted", {"spec": {"suspend": False}})

        assert (labelled["metadata"]["generation"], resumed["metadata"]["generation"]) == (1, 2)


class TestPods:
    """The pods of a Job."""

    def test_belong_to_their_job(self, namespace: NamespaceClient) -> None:
        """Labels, name and owner reference of a pod identify its Job."""
        created = namespace.submit(job("owner", "run-forever"))["metadata"]

        (pod,) = namespace.await_pods("owner", phase="Running")
        (owner,) = pod["metadata"]["ownerReferences"]
        assert ("Job", "owner", created["uid"]) == (owner["kind"], owner["name"], owner["uid"])
        assert pod["metadata"]["name"].startswith("owner-")
        assert {"owner"} == {pod["metadata"]["labels"][key] for key in ("job-name", "batch.kubernetes.io/job-name")}

    @pytest.mark.parametrize("gpus", [9, 1000])
    def test_more_gpus_than_a_node_has(self, namespace: NamespaceClient, gpus: int) -> None:
        """A pod that requests more GPUs than a node has is pending, with a condition that names the resource."""
        namespace.submit(job("huge", gpus=gpus))

        condition = eventually(lambda: unschedulable(namespace.pods_of("huge")), bool)[0]
        assert (condition["type"], condition["status"]) == ("PodScheduled", "False")
        assert "nodes are available: " in condition["message"]
        assert "Insufficient nvidia.com/gpu" in condition["message"]
        assert namespace.await_pods("huge", phase="Pending")

    def test_no_matching_node(self, namespace: NamespaceClient) -> None:
        """A pod whose node selector matches no node is pending."""
        manifest = job("picky")
        manifest["spec"]["template"]["spec"]["nodeSelector"] = {"node.kubernetes.io/instance-type": "none.such"}

        namespace.submit(manifest)

        condition = eventually(lambda: unschedulable(namespace.pods_of("picky")), bool)[0]
        assert "didn't match Pod's node affinity/selector" in condition["message"]


def ending(condition: Document) -> tuple[str, str]:
    """Return type and reason of *condition*."""
    return condition["type"], condition["reason"]


def suspensions(status: Document) -> list[tuple[str, str, str]]:
    """Return the conditions Suspended of *status*."""
    found = [each for each in status["conditions"] if each["type"] == "Suspended"]
    return [(each["type"], each["status"], each["reason"]) for each in found]


def unschedulable(pods: list[Document]) -> list[Document]:
    """Return the conditions Unschedulable of *pods*."""
    conditions = [each for pod in pods for each in pod["status"].get("conditions", [])]
    return [each for each in conditions if each.get("reason") == "Unschedulable"]
