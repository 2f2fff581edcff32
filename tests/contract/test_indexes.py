"""What the Job controller makes of indexes, of limits for each of them, and of rules for failed pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.eventually import eventually
from tests.support.namespace import job

if TYPE_CHECKING:
    from tests.cluster.json_client import Document
    from tests.support.namespace import TestNamespace

INDEX = "batch.kubernetes.io/job-completion-index"


def array(name: str, simulate: str = "", completions: int = 4, **spec: Any) -> Document:  # noqa: ANN401 - JSON
    """A Job of numbered pods, all of which may run at once."""
    counts = {"completions": completions, "parallelism": completions, "completionMode": "Indexed"}
    return job(name, simulate, **{**counts, **spec})


def rule(action: str, *codes: int, operator: str = "NotIn") -> Document:
    """A podFailurePolicy of one rule about exit codes."""
    codes_of_main = {"containerName": "main", "operator": operator, "values": codes}
    return {"rules": [{"action": action, "onExitCodes": codes_of_main}]}


class TestPods:
    """The pods of an Indexed Job."""

    def test_are_numbered(self, space: TestNamespace) -> None:
        """Annotation, label, name, host name and environment say which index a pod works on."""
        space.submit(array("numbered", "run-forever", 2))

        pods = sorted(space.await_pods("numbered", 2), key=lambda pod: pod["metadata"]["name"])
        for index, pod in enumerate(pods):
            metadata, spec = pod["metadata"], pod["spec"]
            assert {metadata[kind][INDEX] for kind in ("annotations", "labels")} == {str(index)}
            assert metadata["name"].startswith(f"numbered-{index}-")
            assert spec["hostname"] == f"numbered-{index}"
            source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}}
            assert {"name": "JOB_COMPLETION_INDEX", "valueFrom": source} in spec["containers"][0]["env"]

    def test_subdomain_is_the_templates(self, space: TestNamespace) -> None:
        """Together with the host name it is what a headless Service gives a pod."""
        manifest = array("hosts", "run-forever", 1)
        manifest["spec"]["template"]["spec"]["subdomain"] = "service"
        space.submit(manifest)

        (pod,) = space.await_pods("hosts")

        assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("hosts-0", "service")

    def test_run_no_more_at_once_than_asked(self, space: TestNamespace) -> None:
        """The lowest indexes come first."""
        space.submit(array("few", "run-forever", parallelism=2))

        pods = space.await_pods("few", 2)

        assert {pod["metadata"]["labels"][INDEX] for pod in pods} == {"0", "1"}

    def test_all_complete(self, space: TestNamespace) -> None:
        """The status says which, in the short form."""
        space.submit(array("fine", completions=3))

        assert space.await_end("fine")["reason"] == "CompletionsReached"
        status = space.job("fine")["status"]
        assert (status["completedIndexes"], "failedIndexes" in status, status["succeeded"]) == ("0-2", False, 3)


class TestLimits:
    """`backoffLimitPerIndex` and `maxFailedIndexes`."""

    def test_a_failed_index_stops_no_other(self, space: TestNamespace) -> None:
        """The rest completes, then the Job has failed."""
        space.submit(array("some", "exit-3@1,3", backoffLimitPerIndex=0))

        end = space.await_end("some")

        status = space.job("some")["status"]
        assert (end["type"], end["reason"], end["message"]) == ("Failed", "FailedIndexes", "Job has failed indexes")
        assert (status["completedIndexes"], status["failedIndexes"]) == ("0,2", "1,3")
        assert (status["succeeded"], status["failed"]) == (2, 2)

    def test_none_failed_yet_is_said(self, space: TestNamespace) -> None:
        """An empty list, where there are limits."""
        space.submit(array("none", backoffLimitPerIndex=0, completions=1))
        space.await_end("none")

        assert space.job("none")["status"]["failedIndexes"] == ""

    def test_too_many_failed_indexes(self, space: TestNamespace) -> None:
        """One more than allowed ends the Job, and what still runs of it."""
        spec = {"backoffLimitPerIndex": 0, "maxFailedIndexes": 1, "completions": 3}
        space.submit(array("bad", "exit-3", **spec))

        assert space.await_end("bad")["reason"] == "MaxFailedIndexesExceeded"

    def test_an_index_is_tried_again(self, space: TestNamespace) -> None:
        """As often as it may fail, and no more."""
        space.submit(array("again", "exit-3@0", backoffLimitPerIndex=1, completions=2))

        space.await_end("again")

        indexes = sorted(pod["metadata"]["labels"][INDEX] for pod in space.pods_of("again"))
        assert indexes == ["0", "0", "1"]

    def test_without_them_the_job_counts_as_a_whole(self, space: TestNamespace) -> None:
        """It says which indexes completed, not which failed."""
        space.submit(array("whole", "exit-3@1", backoffLimit=0, completions=2, parallelism=1))

        end = space.await_end("whole")

        status = space.job("whole")["status"]
        assert (end["reason"], status["completedIndexes"]) == ("BackoffLimitExceeded", "0")
        assert "failedIndexes" not in status


class TestRules:
    """`podFailurePolicy`."""

    @pytest.mark.parametrize(("operator", "code"), [("NotIn", 42), ("In", 3)])
    def test_one_exit_code_ends_the_job(self, space: TestNamespace, operator: str, code: int) -> None:
        """However many retries are left."""
        space.submit(job("final", "exit-3", podFailurePolicy=rule("FailJob", code, operator=operator)))

        end = space.await_end("final")

        assert (end["type"], end["reason"]) == ("Failed", "PodFailurePolicy")
        assert end["message"].startswith(f"Container main for pod {space.name}/final-")
        assert end["message"].endswith(" failed with exit code 3 matching FailJob rule at index 0")
        assert [one["type"] for one in space.job("final")["status"]["conditions"]] == ["FailureTarget", "Failed"]

    def test_another_is_counted(self, space: TestNamespace) -> None:
        """The Job ends when there were too many."""
        space.submit(job("counted", "exit-42", backoffLimit=0, podFailurePolicy=rule("FailJob", 42)))

        assert space.await_end("counted")["reason"] == "BackoffLimitExceeded"

    def test_one_exit_code_ends_its_index(self, space: TestNamespace) -> None:
        """The others go on."""
        space.submit(array("index", "exit-3@1", backoffLimitPerIndex=5, podFailurePolicy=rule("FailIndex", 42)))

        assert space.await_end("index")["reason"] == "FailedIndexes"
        status = space.job("index")["status"]
        assert (status["failedIndexes"], status["failed"]) == ("1", 1)

    @pytest.mark.parametrize(("action", "failed"), [("Ignore", 0), ("Count", 1)])
    def test_disruptions(self, space: TestNamespace, action: str, failed: int) -> None:
        """One that is ignored is replaced and not counted, again and again; backoffLimit 0 then ends nothing."""
        disrupted = [{"type": "DisruptionTarget", "status": "True"}]
        policy = {"rules": [{"action": action, "onPodConditions": disrupted}]}
        space.submit(job("moved", "Evicted", backoffLimit=0, podFailurePolicy=policy))

        pods = eventually(lambda: space.pods_of("moved"), lambda pods: _ended(pods) and len(pods) >= 2 - failed)
        status = eventually(lambda: space.job("moved")["status"], lambda status: status.get("failed", 0) == failed)

        assert len(pods) == 1 or not failed
        assert any(one["type"] == "Failed" for one in status.get("conditions", ())) == bool(failed)


def _ended(pods: list[Document]) -> bool:
    return any(pod["status"]["phase"] == "Failed" for pod in pods)
