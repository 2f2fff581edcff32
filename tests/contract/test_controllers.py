"""What the Job controller, the scheduler and the cleanup make of a Job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.eventually import eventually
from tests.support.namespace import job

if TYPE_CHECKING:
    from tests.cluster.json_client import Document
    from tests.support.namespace import TestNamespace


class TestEnd:
    """How a Job ends."""

    def test_well(self, space: TestNamespace) -> None:
        """Enough pods succeeded: it is complete, counts them, and says when."""
        space.submit(job("fine", completions=2, parallelism=2))

        assert ending(space.await_end("fine")) == ("Complete", "CompletionsReached")
        status = space.job("fine")["status"]
        assert (status["succeeded"], status.get("failed", 0)) == (2, 0)
        assert status["startTime"] <= status["completionTime"]
        assert "active" not in status

    def test_one_condition_comes_before_the_end(self, space: TestNamespace) -> None:
        """Since 1.31 a Job is said to end well before its last pod is accounted for."""
        space.submit(job("fine"))
        space.await_end("fine")

        conditions = space.job("fine")["status"]["conditions"]
        assert [one["type"] for one in conditions] == ["SuccessCriteriaMet", "Complete"]

    def test_after_too_many_failures(self, space: TestNamespace) -> None:
        """One failure more than allowed ends it."""
        space.submit(job("bad", "exit-3", backoffLimit=0))

        assert ending(space.await_end("bad")) == ("Failed", "BackoffLimitExceeded")
        status = space.job("bad")["status"]
        assert (status["failed"], "completionTime" in status) == (1, False)
        assert [one["type"] for one in status["conditions"]] == ["FailureTarget", "Failed"]

    def test_after_its_deadline(self, space: TestNamespace) -> None:
        """Its pods go, and it has failed."""
        space.submit(job("late", "run-forever", activeDeadlineSeconds=1))

        assert ending(space.await_end("late")) == ("Failed", "DeadlineExceeded")
        space.await_pods("late", 0)

    def test_time_to_live(self, space: TestNamespace) -> None:
        """A finished Job goes by itself, and its pods with it."""
        space.submit(job("brief", ttlSecondsAfterFinished=0))

        eventually(lambda: space.client.get(space.jobs)["items"], lambda items: not items)
        space.await_pods("brief", 0)

    def test_a_failed_pod_is_replaced(self, space: TestNamespace) -> None:
        """A failure that is allowed makes room for another try; the failed pod stays for its log."""
        space.submit(job("again", "exit-1", backoffLimit=1))

        eventually(lambda: len(space.pods_of("again")), lambda count: count == 2)


class TestSuspend:
    """A Job that pauses."""

    def test_removes_the_pods(self, space: TestNamespace) -> None:
        """A merge patch is enough; the Job says so and has no start any more."""
        space.submit(job("paused", "run-forever"))
        space.await_pods("paused", phase="Running")

        space.client.patch(f"{space.jobs}/paused", {"spec": {"suspend": True}})

        space.await_pods("paused", 0)
        status = eventually(lambda: space.job("paused")["status"], lambda status: "conditions" in status)
        assert suspensions(status) == [("Suspended", "True", "JobSuspended")]
        assert not {"active", "startTime"} & status.keys()

    def test_resumes(self, space: TestNamespace) -> None:
        """Its pods come back, and the Job says that it was suspended."""
        space.submit(job("back", "run-forever", suspend=True))
        eventually(lambda: space.job("back")["status"], lambda status: "conditions" in status)

        space.client.patch(f"{space.jobs}/back", {"spec": {"suspend": False}})

        space.await_pods("back", phase="Running")
        status = eventually(lambda: space.job("back")["status"], lambda status: status.get("active") == 1)
        assert suspensions(status) == [("Suspended", "False", "JobResumed")]
        assert "startTime" in status

    def test_generation_counts_changes(self, space: TestNamespace) -> None:
        """A change of what is wanted is another generation; a label is not."""
        space.submit(job("counted", suspend=True))

        labelled = space.client.patch(f"{space.jobs}/counted", {"metadata": {"labels": {"team": "red"}}})
        resumed = space.client.patch(f"{space.jobs}/counted", {"spec": {"suspend": False}})

        assert (labelled["metadata"]["generation"], resumed["metadata"]["generation"]) == (1, 2)


class TestPods:
    """The pods of a Job."""

    def test_belong_to_their_job(self, space: TestNamespace) -> None:
        """Labels, name and owner say whose a pod is."""
        made = space.submit(job("owner", "run-forever"))["metadata"]

        (pod,) = space.await_pods("owner", phase="Running")
        (owner,) = pod["metadata"]["ownerReferences"]
        assert ("Job", "owner", made["uid"]) == (owner["kind"], owner["name"], owner["uid"])
        assert pod["metadata"]["name"].startswith("owner-")
        assert {"owner"} == {pod["metadata"]["labels"][key] for key in ("job-name", "batch.kubernetes.io/job-name")}

    @pytest.mark.parametrize("gpus", [9, 1000])
    def test_more_gpus_than_a_node_has(self, space: TestNamespace, gpus: int) -> None:
        """The pod waits, and its condition says what is missing."""
        space.submit(job("huge", gpus=gpus))

        condition = eventually(lambda: unschedulable(space.pods_of("huge")), bool)[0]
        assert (condition["type"], condition["status"]) == ("PodScheduled", "False")
        assert "nodes are available: " in condition["message"]
        assert "Insufficient nvidia.com/gpu" in condition["message"]
        assert space.await_pods("huge", phase="Pending")

    def test_no_node_of_that_kind(self, space: TestNamespace) -> None:
        """The pod waits for a node that there is not."""
        manifest = job("picky")
        manifest["spec"]["template"]["spec"]["nodeSelector"] = {"node.kubernetes.io/instance-type": "none.such"}

        space.submit(manifest)

        condition = eventually(lambda: unschedulable(space.pods_of("picky")), bool)[0]
        assert "didn't match Pod's node affinity/selector" in condition["message"]


def ending(condition: Document) -> tuple[str, str]:
    """How *condition* ended a Job, and why."""
    return condition["type"], condition["reason"]


def suspensions(status: Document) -> list[tuple[str, str, str]]:
    """What *status* says of suspension."""
    found = [one for one in status["conditions"] if one["type"] == "Suspended"]
    return [(one["type"], one["status"], one["reason"]) for one in found]


def unschedulable(pods: list[Document]) -> list[Document]:
    """The conditions that say why *pods* have no node."""
    conditions = [one for pod in pods for one in pod["status"].get("conditions", [])]
    return [one for one in conditions if one.get("reason") == "Unschedulable"]
