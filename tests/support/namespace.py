"""A namespace that belongs to one test, and the Jobs in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pytest

from chalicelib.domain.kubernetes.jobs import GPU
from infra.localcluster.simulation import SIMULATE
from tests.cluster.json_client import ErrorResponse
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cluster.json_client import Document, JsonClient

JOBS = "count/jobs.batch"
"""The name of the Jobs resource in a ResourceQuota."""


class ErrorStatus(NamedTuple):
    """The Status with which an API server rejects a request."""

    status: int
    reason: str
    message: str
    details: Document


@dataclass(frozen=True)
class NamespaceClient:
    """The namespace *name*, used through *client*."""

    client: JsonClient
    name: str

    @property
    def path(self) -> str:
        """The URL path of the namespace."""
        return f"/api/v1/namespaces/{self.name}"

    @property
    def pods(self) -> str:
        """The URL path of its pods."""
        return f"{self.path}/pods"

    @property
    def jobs(self) -> str:
        """The URL path of its Jobs."""
        return f"/apis/batch/v1/namespaces/{self.name}/jobs"

    def open(self) -> None:
        """Create it, and wait for its default ServiceAccount, without which no pod can be created."""
        self.client.create("/api/v1/namespaces", {"metadata": {"name": self.name}})
        eventually(lambda: self.client.get(f"{self.path}/serviceaccounts")["items"], bool)

    def close(self) -> None:
        """Delete it."""
        self.client.delete(self.path)

    def label(self, **labels: str) -> None:
        """Add *labels* to it."""
        self.client.patch(self.path, {"metadata": {"labels": labels}})

    def bound(self, **hard: str) -> None:
        """Create the ResourceQuota `test-quota`, and wait until the API server enforces it."""
        quotas = f"{self.path}/resourcequotas"
        self.client.create(quotas, {"metadata": {"name": "test-quota"}, "spec": {"hard": {**hard, JOBS: "0"}}})
        eventually(self._admits_jobs, lambda admitted: not admitted)
        if hard.get(JOBS) != "0":
            self.client.patch(f"{quotas}/test-quota", {"spec": {"hard": {JOBS: None, **hard}}})
            eventually(self._admits_jobs, bool)

    def used(self) -> dict[str, str]:
        """Return `status.used` of its ResourceQuota."""
        quota = self.client.get(f"{self.path}/resourcequotas/test-quota")
        used: dict[str, str] = quota.get("status", {}).get("used", {})
        return used

    def submit(self, manifest: Document, query: str = "") -> Document:
        """Create *manifest* and return the stored object."""
        return self.client.create(self.jobs + query, manifest)

    def job(self, name: str) -> Document:
        """Return the Job of that name."""
        return self.client.get(f"{self.jobs}/{name}")

    def pods_of(self, job: str) -> list[Document]:
        """Return the pods with the job-name label of *job*."""
        found: list[Document] = self.client.get(self.pods, labelSelector=f"batch.kubernetes.io/job-name={job}")["items"]
        return found

    def events(self, reason: str) -> list[str]:
        """Return the messages of the events with *reason*."""
        found = self.client.get(f"{self.path}/events", fieldSelector=f"reason={reason}")["items"]
        return [event["message"] for event in found]

    def await_end(self, job: str) -> Document:
        """Wait until *job* has ended, and return the condition Complete or Failed."""
        status = eventually(lambda: self.job(job)["status"], lambda status: bool(_ends(status)))
        return _ends(status)[0]

    def await_pods(self, job: str, count: int = 1, phase: str = "") -> list[Document]:
        """Wait until *job* has *count* pods, all in *phase* if it is set, and return them."""

        def complete(pods: list[Document]) -> bool:
            return len(pods) == count and all(phase in ("", pod["status"]["phase"]) for pod in pods)

        return eventually(lambda: self.pods_of(job), complete)

    def _admits_jobs(self) -> bool:
        try:
            self.submit(job("probe"), "?dryRun=All")
        except ErrorResponse:
            return False
        return True


def job(name: str, simulate: str = "", gpus: int = 1, image: str = "image:1", **spec: object) -> Document:
    """Return a Job with one container that behaves as *simulate* describes and requests *gpus*."""
    container = {"name": "main", "image": image, "resources": {"limits": {GPU: str(gpus)}}}
    template = {
        "metadata": {"annotations": {SIMULATE: simulate} if simulate else {}},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": template, **spec},
    }


def error_of(action: Callable[[], object]) -> ErrorStatus:
    """Run *action*, which must be rejected, and return the Status."""
    with pytest.raises(ErrorResponse) as caught:
        action()
    status = json.loads(caught.value.body)
    assert (status["kind"], status["status"], status["code"]) == ("Status", "Failure", caught.value.status)
    return ErrorStatus(caught.value.status, status.get("reason", ""), status["message"], status.get("details", {}))


def _ends(status: Document) -> list[Document]:
    conditions = [each for each in status.get("conditions", []) if each["type"] in ("Complete", "Failed")]
    return [each for each in conditions if each["status"] == "True"]
