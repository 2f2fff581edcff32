"""Pods that are being deleted: their grace period, and the status of their Job until they have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.eventually import eventually
from tests.support.namespace import error_of, job

if TYPE_CHECKING:
    from tests.cluster.json_client import Document
    from tests.support.namespace import NamespaceClient

FAILED_ONLY: dict[str, Any] = {"podReplacementPolicy": "Failed"}


def start(namespace: NamespaceClient, simulate: str = "ignore-sigterm", grace: int = 600, **spec: Any) -> str:  # noqa: ANN401 - JSON
    """Create the Job `ends` with that grace period, wait until its pod runs, and return the path of the pod."""
    manifest = job("ends", simulate, **spec)
    manifest["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = grace
    namespace.submit(manifest)
    (pod,) = namespace.await_pods("ends", phase="Running")
    return f"{namespace.pods}/{pod['metadata']['name']}"


def await_job(namespace: NamespaceClient, **expected: object) -> Document:
    """Wait until the status of the Job has the *expected* counts, 0 for an omitted one, and return it."""
    return eventually(
        lambda: namespace.job("ends")["status"],
        lambda status: all(status.get(name, 0) == value for name, value in expected.items()),
    )


def true_conditions(document: Document) -> dict[str, str]:
    """Return the reasons of the conditions that are true, by type."""
    conditions = document["status"].get("conditions", ())
    return {each["type"]: each.get("reason", "") for each in conditions if each["status"] == "True"}


class TestGracePeriod:
    """The deletion of a running pod."""

    @pytest.mark.parametrize(
        ("simulate", "grace", "exit_code"), [("run-forever", 600, 143), ("ignore-sigterm", 1, 137)]
    )
    def test_program_ends(self, namespace: NamespaceClient, simulate: str, grace: int, exit_code: int) -> None:
        """A program ends on SIGTERM, or is killed at the end of the grace period; then the pod disappears."""
        path = start(namespace, simulate, grace)
        namespace.client.patch(path, {"metadata": {"finalizers": ["example.com/held"]}})

        namespace.client.delete(path)

        ended = eventually(lambda: namespace.client.get(path), lambda pod: pod["status"]["phase"] == "Failed")
        assert ended["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == exit_code
        assert ended["metadata"]["deletionTimestamp"]
        namespace.client.delete(f"{namespace.jobs}/ends", propagationPolicy="Background")
        namespace.client.patch(path, {"metadata": {"finalizers": None}})
        namespace.await_pods("ends", 0)

    def test_runs_on(self, namespace: NamespaceClient) -> None:
        """The pod has a deletion time and still runs; a second deletion may shorten the grace period."""
        path = start(namespace)

        namespace.client.delete(path)

        pod = namespace.client.get(path)
        assert (pod["metadata"]["deletionGracePeriodSeconds"], pod["status"]["phase"]) == (600, "Running")
        namespace.client.delete(path, gracePeriodSeconds=1)
        eventually(
            lambda: [each["metadata"]["uid"] for each in namespace.pods_of("ends")],
            lambda uids: pod["metadata"]["uid"] not in uids,
        )


class TestJob:
    """The Job of a pod that is being deleted."""

    def test_deadline_is_over(self, namespace: NamespaceClient) -> None:
        """FailureTarget decides the end; Failed follows when the pod has ended."""
        path = start(namespace, activeDeadlineSeconds=1)

        await_job(namespace, terminating=1, active=0, failed=1)

        assert true_conditions(namespace.job("ends")) == {"FailureTarget": "DeadlineExceeded"}
        namespace.client.delete(path, gracePeriodSeconds=0)
        assert namespace.await_end("ends")["reason"] == "DeadlineExceeded"
        assert await_job(namespace, terminating=0)["failed"] == 1

    def test_suspended_and_resumed(self, namespace: NamespaceClient) -> None:
        """A suspended Job waits for its pod, which does not count as failed; a resumed one has a new pod at once."""
        path = start(namespace)
        namespace.client.patch(f"{namespace.jobs}/ends", {"spec": {"suspend": True}})
        suspended = await_job(namespace, terminating=1, active=0)

        namespace.client.patch(f"{namespace.jobs}/ends", {"spec": {"suspend": False}})

        await_job(namespace, terminating=1, active=1)
        assert "startTime" not in suspended
        namespace.client.delete(path, gracePeriodSeconds=0)
        assert "failed" not in await_job(namespace, terminating=0, active=1)

    @pytest.mark.parametrize(
        ("spec", "failed"), [pytest.param({}, 1, id="at once"), pytest.param(FAILED_ONLY, 0, id="when it has ended")]
    )
    def test_counts_a_deleted_pod(self, namespace: NamespaceClient, spec: Document, failed: int) -> None:
        """A deleted pod counts as failed at once, or with `podReplacementPolicy: Failed` when it has ended."""
        path = start(namespace, **spec)

        namespace.client.delete(path)

        await_job(namespace, terminating=1, failed=failed)
        namespace.client.delete(path, gracePeriodSeconds=0)
        await_job(namespace, terminating=0, failed=1)

    @pytest.mark.parametrize("parallelism", [0, 1])
    def test_reduced_parallelism(self, namespace: NamespaceClient, parallelism: int) -> None:
        """Surplus pods are deleted and do not count as failed."""
        namespace.submit(job("ends", "run-forever", parallelism=2, completions=2))
        namespace.await_pods("ends", 2, phase="Running")

        namespace.client.patch(f"{namespace.jobs}/ends", {"spec": {"parallelism": parallelism}})

        assert "failed" not in await_job(namespace, active=parallelism, terminating=0)
        namespace.await_pods("ends", parallelism)

    def test_deleted_job(self, namespace: NamespaceClient) -> None:
        """The pod of a deleted Job has its grace period as well."""
        path = start(namespace)

        namespace.client.delete(f"{namespace.jobs}/ends", propagationPolicy="Background")

        eventually(lambda: namespace.client.get(path), lambda pod: "deletionTimestamp" in pod["metadata"])
        namespace.client.delete(path, gracePeriodSeconds=0)
        namespace.await_pods("ends", 0)


class TestDisruption:
    """Pods that the cluster ends."""

    def test_eviction(self, namespace: NamespaceClient) -> None:
        """An evicted pod has the condition DisruptionTarget and its grace period."""
        path = start(namespace, **FAILED_ONLY)
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": path.rpartition("/")[2]}}

        namespace.client.create(f"{path}/eviction", eviction)

        pod = namespace.client.get(path)
        assert true_conditions(pod)["DisruptionTarget"] == "EvictionByEvictionAPI"
        assert pod["metadata"]["deletionGracePeriodSeconds"] == 600
        namespace.client.delete(path, gracePeriodSeconds=0)
        await_job(namespace, terminating=0, failed=1)

    def test_node_pressure(self, namespace: NamespaceClient) -> None:
        """A pod that the kubelet evicts has failed, with the condition DisruptionTarget."""
        namespace.submit(job("ends", "Evicted", backoffLimit=0))
        namespace.await_end("ends")

        (pod,) = namespace.pods_of("ends")
        assert (pod["status"]["phase"], pod["status"]["reason"]) == ("Failed", "Evicted")
        assert true_conditions(pod)["DisruptionTarget"] == "TerminationByKubelet"

    def test_lost_node(self, namespace: NamespaceClient) -> None:
        """A pod on a lost node is not ready, is deleted, and does not end, so the Job waits."""
        namespace.submit(job("ends", "node-unreachable", **FAILED_ONLY))

        await_job(namespace, terminating=1, active=0, failed=0)

        (pod,) = namespace.pods_of("ends")
        ready = next(each for each in pod["status"]["conditions"] if each["type"] == "Ready")
        assert (pod["status"]["phase"], ready["status"]) == ("Running", "False")
        assert true_conditions(pod)["DisruptionTarget"] == "DeletionByTaintManager"
        assert namespace.events("NodeNotReady") == ["Node is not ready"]
        log = error_of(lambda: namespace.client.text(f"{namespace.pods}/{pod['metadata']['name']}/log"))
        assert log.status == 500
