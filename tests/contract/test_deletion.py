"""Deleting Jobs, and the effect on their pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.eventually import eventually
from tests.support.namespace import error_of, job

if TYPE_CHECKING:
    from tests.cluster.json_client import Document
    from tests.support.namespace import NamespaceClient


def is_gone(namespace: NamespaceClient, name: str) -> bool:
    """Return whether the Job of that name is missing."""
    return not namespace.client.get(namespace.jobs, fieldSelector=f"metadata.name={name}")["items"]


class TestPolicy:
    """propagationPolicy."""

    @pytest.mark.parametrize("place", ["body", "query"])
    def test_background_deletes_the_pods(self, namespace: NamespaceClient, place: str) -> None:
        """With Background, the Job is deleted immediately, and its pods follow."""
        namespace.submit(job("whole", "run-forever"))
        namespace.await_pods("whole", phase="Running")

        if place == "query":
            namespace.client.request("DELETE", f"{namespace.jobs}/whole?propagationPolicy=Background")
        else:
            namespace.client.delete(f"{namespace.jobs}/whole", propagationPolicy="Background")

        assert is_gone(namespace, "whole")
        namespace.await_pods("whole", 0)

    def test_service_is_deleted_with_its_owner(self, namespace: NamespaceClient) -> None:
        """A Service is deleted with its owner, even if it is created after the owner was deleted."""
        created = [namespace.submit(job(name, suspend=True))["metadata"] for name in ("early", "late")]
        early, late = (_service(each["name"], each["uid"]) for each in created)
        namespace.client.create(f"{namespace.path}/services", early)

        for each in created:
            namespace.client.delete(f"{namespace.jobs}/{each['name']}", propagationPolicy="Background")
        namespace.client.create(f"{namespace.path}/services", late)

        eventually(lambda: namespace.client.get(f"{namespace.path}/services")["items"], lambda services: not services)

    def test_default_leaves_the_pods(self, namespace: NamespaceClient) -> None:
        """Without a policy, deleting a batch/v1 Job leaves its pods running, and their GPUs in use."""
        namespace.submit(job("half", "run-forever"))
        namespace.await_pods("half", phase="Running")

        namespace.client.delete(f"{namespace.jobs}/half")

        eventually(lambda: is_gone(namespace, "half"), bool)
        assert [pod["status"]["phase"] for pod in namespace.pods_of("half")] == ["Running"]

    def test_response_has_the_uid(self, namespace: NamespaceClient) -> None:
        """The response has the uid of the deleted Job."""
        uid = namespace.submit(job("deleted", suspend=True))["metadata"]["uid"]

        response = namespace.client.delete(f"{namespace.jobs}/deleted", propagationPolicy="Background")

        assert (response["kind"], response["status"]) == ("Status", "Success")
        assert {"name": "deleted", "group": "batch", "kind": "jobs", "uid": uid} == response["details"]

    def test_dry_run_deletes_nothing(self, namespace: NamespaceClient) -> None:
        """A dry run deletes nothing."""
        namespace.submit(job("unchanged", suspend=True))

        namespace.client.delete(f"{namespace.jobs}/unchanged", propagationPolicy="Background", dryRun=["All"])

        assert not is_gone(namespace, "unchanged")

    def test_missing_job(self, namespace: NamespaceClient) -> None:
        """Deleting a Job that does not exist returns 404."""
        error = error_of(lambda: namespace.client.delete(f"{namespace.jobs}/missing"))

        assert error[:3] == (404, "NotFound", 'jobs.batch "missing" not found')


class TestPreconditions:
    """Preconditions on uid and resourceVersion."""

    @pytest.mark.parametrize(
        "field", [pytest.param("uid", id="another Job"), pytest.param("resourceVersion", id="another version")]
    )
    def test_not_met(self, namespace: NamespaceClient, field: str) -> None:
        """If a precondition is not met, the response is 409 Conflict, and the Job remains."""
        namespace.submit(job("conditional", suspend=True))

        error = error_of(lambda: namespace.client.delete(f"{namespace.jobs}/conditional", preconditions={field: "1"}))

        assert error[:2] == (409, "Conflict")
        assert 'Operation cannot be fulfilled on Job.batch "conditional": the ' in error.message
        assert "in the precondition (1) does not match" in error.message
        assert not is_gone(namespace, "conditional")

    def test_met(self, namespace: NamespaceClient) -> None:
        """If the preconditions are met, the Job is deleted."""
        namespace.submit(job("conditional", suspend=True))
        eventually(lambda: namespace.job("conditional")["status"], lambda status: "conditions" in status)
        metadata = namespace.job("conditional")["metadata"]

        preconditions = {field: metadata[field] for field in ("uid", "resourceVersion")}
        namespace.client.delete(
            f"{namespace.jobs}/conditional", propagationPolicy="Background", preconditions=preconditions
        )

        assert is_gone(namespace, "conditional")


def _service(name: str, job_uid: str) -> Document:
    """Return a headless Service that the Job with the same name owns."""
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": job_uid}
    spec = {"clusterIP": "None", "selector": {"batch.kubernetes.io/controller-uid": job_uid}}
    return {"metadata": {"name": name, "ownerReferences": [owner]}, "spec": spec}
