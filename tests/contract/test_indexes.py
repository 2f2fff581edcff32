"""The Job controller: completion indexes, limits for each index, and the pod failure policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.eventually import eventually
from tests.support.namespace import job

if TYPE_CHECKING:
    from tests.cluster.json_client import Document
    from tests.support.namespace import NamespaceClient

INDEX = "batch.kubernetes.io/job-completion-index"


def array(name: str, simulate: str = "", completions: int = 4, **spec: Any) -> Document:  # noqa: ANN401 - JSON
    """Return an Indexed Job whose pods may all run at once."""
    counts = {"completions": completions, "parallelism": completions, "completionMode": "Indexed"}
    return job(name, simulate, **{**counts, **spec})


def rule(action: str, *codes: int, operator: str = "NotIn") -> Document:
    """Return a podFailurePolicy with one rule about exit codes."""
    codes_of_main = {"containerName": "main", "operator": operator, "values": codes}
    return {"rules": [{"action": action, "onExitCodes": codes_of_main}]}


class TestPods:
    """The pods of an Indexed Job."""

    def test_have_an_index(self, namespace: NamespaceClient) -> None:
        """Annotation, label, name, host name and environment of a pod have its index."""
        namespace.submit(array("numbered", "run-forever", 2))

        pods = sorted(namespace.await_pods("numbered", 2), key=lambda pod: pod["metadata"]["name"])
        for index, pod in enumerate(pods):
            metadata, spec = pod["metadata"], pod["spec"]
            assert {metadata[kind][INDEX] for kind in ("annotations", "labels")} == {str(index)}
            assert metadata["name"].startswith(f"numbered-{index}-")
            assert spec["hostname"] == f"numbered-{index}"
            source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}}
            assert {"name": "JOB_COMPLETION_INDEX", "valueFrom": source} in spec["containers"][0]["env"]

    def test_subdomain_is_that_of_the_template(self, namespace: NamespaceClient) -> None:
        """Host name and subdomain of a pod form the DNS name that a headless Service publishes."""
        manifest = array("hosts", "run-forever", 1)
        manifest["spec"]["template"]["spec"]["subdomain"] = "service"
        namespace.submit(manifest)

        (pod,) = namespace.await_pods("hosts")

        assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("hosts-0", "service")

    def test_parallelism_limits_the_pods(self, namespace: NamespaceClient) -> None:
        """At most `parallelism` pods run, the lowest indexes first."""
        namespace.submit(array("limited", "run-forever", parallelism=2))

        pods = namespace.await_pods("limited", 2)

        assert {pod["metadata"]["labels"][INDEX] for pod in pods} == {"0", "1"}

    def test_all_complete(self, namespace: NamespaceClient) -> None:
        """The status has the completed indexes as ranges."""
        namespace.submit(array("fine", completions=3))

        assert namespace.await_end("fine")["reason"] == "CompletionsReached"
        status = namespace.job("fine")["status"]
        assert (status["completedIndexes"], "failedIndexes" in status, status["succeeded"]) == ("0-2", False, 3)


class TestLimits:
    """`backoffLimitPerIndex` and `maxFailedIndexes`."""

    def test_failed_index_does_not_stop_the_others(self, namespace: NamespaceClient) -> None:
        """The other indexes complete, then the Job fails."""
        namespace.submit(array("some", "exit-3@1,3", backoffLimitPerIndex=0))

        end = namespace.await_end("some")

        status = namespace.job("some")["status"]
        assert (end["type"], end["reason"], end["message"]) == ("Failed", "FailedIndexes", "Job has failed indexes")
        assert (status["completedIndexes"], status["failedIndexes"]) == ("0,2", "1,3")
        assert (status["succeeded"], status["failed"]) == (2, 2)

    def test_no_failed_index(self, namespace: NamespaceClient) -> None:
        """With limits for each index, `failedIndexes` is empty, not missing, if no index has failed."""
        namespace.submit(array("none", backoffLimitPerIndex=0, completions=1))
        namespace.await_end("none")

        assert namespace.job("none")["status"]["failedIndexes"] == ""

    def test_too_many_failed_indexes(self, namespace: NamespaceClient) -> None:
        """More failed indexes than `maxFailedIndexes` fail the Job and stop its other pods."""
        spec = {"backoffLimitPerIndex": 0, "maxFailedIndexes": 1, "completions": 3}
        namespace.submit(array("bad", "exit-3", **spec))

        assert namespace.await_end("bad")["reason"] == "MaxFailedIndexesExceeded"

    def test_index_is_retried(self, namespace: NamespaceClient) -> None:
        """An index is retried up to its limit."""
        namespace.submit(array("again", "exit-3@0", backoffLimitPerIndex=1, completions=2))

        namespace.await_end("again")

        indexes = sorted(pod["metadata"]["labels"][INDEX] for pod in namespace.pods_of("again"))
        assert indexes == ["0", "0", "1"]

    def test_without_limits_for_each_index(self, namespace: NamespaceClient) -> None:
        """Without limits for each index, the status has the completed indexes, but not the failed ones."""
        namespace.submit(array("whole", "exit-3@1", backoffLimit=0, completions=2, parallelism=1))

        end = namespace.await_end("whole")

        status = namespace.job("whole")["status"]
        assert (end["reason"], status["completedIndexes"]) == ("BackoffLimitExceeded", "0")
        assert "failedIndexes" not in status


class TestPodFailurePolicy:
    """`podFailurePolicy`."""

    @pytest.mark.parametrize(("operator", "code"), [("NotIn", 42), ("In", 3)])
    def test_exit_code_fails_the_job(self, namespace: NamespaceClient, operator: str, code: int) -> None:
        """A FailJob rule fails the Job although retries are left."""
        namespace.submit(job("final", "exit-3", podFailurePolicy=rule("FailJob", code, operator=operator)))

        end = namespace.await_end("final")

        assert (end["type"], end["reason"]) == ("Failed", "PodFailurePolicy")
        assert end["message"].startswith(f"Container main for pod {namespace.name}/final-")
        assert end["message"].endswith(" failed with exit code 3 matching FailJob rule at index 0")
        assert [each["type"] for each in namespace.job("final")["status"]["conditions"]] == ["FailureTarget", "Failed"]

    def test_other_exit_codes_are_counted(self, namespace: NamespaceClient) -> None:
        """A failure that matches no rule counts towards the backoff limit."""
        namespace.submit(job("counted", "exit-42", backoffLimit=0, podFailurePolicy=rule("FailJob", 42)))

        assert namespace.await_end("counted")["reason"] == "BackoffLimitExceeded"

    def test_exit_code_fails_the_index(self, namespace: NamespaceClient) -> None:
        """A FailIndex rule fails the index, and the others continue."""
        namespace.submit(array("index", "exit-3@1", backoffLimitPerIndex=5, podFailurePolicy=rule("FailIndex", 42)))

        assert namespace.await_end("index")["reason"] == "FailedIndexes"
        status = namespace.job("index")["status"]
        assert (status["failedIndexes"], status["failed"]) == ("1", 1)

    @pytest.mark.parametrize(("action", "failed"), [("Ignore", 0), ("Count", 1)])
    def test_disruptions(self, namespace: NamespaceClient, action: str, failed: int) -> None:
        """An ignored disruption is not counted, so its pod is replaced even with a backoff limit of 0."""
        condition = [{"type": "DisruptionTarget", "status": "True"}]
        policy = {"rules": [{"action": action, "onPodConditions": condition}]}
        namespace.submit(job("moved", "Evicted", backoffLimit=0, podFailurePolicy=policy))

        pods = eventually(
            lambda: namespace.pods_of("moved"), lambda pods: _any_failed(pods) and len(pods) >= 2 - failed
        )
        status = eventually(lambda: namespace.job("moved")["status"], lambda status: status.get("failed", 0) == failed)

        assert len(pods) == 1 or not failed
        assert any(each["type"] == "Failed" for each in status.get("conditions", ())) == bool(failed)


def _any_failed(pods: list[Document]) -> bool:
    return any(pod["status"]["phase"] == "Failed" for pod in pods)
