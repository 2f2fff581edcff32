"""A namespace of a test's own, and the Jobs in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pytest

from chalicelib.domain.kubernetes.jobs import GPU
from infra.localcluster.pod_status import SIMULATE
from tests.cluster.json_client import Refused
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cluster.json_client import Document, JsonClient

JOBS = "count/jobs.batch"
"""Jobs as a quota counts them."""


class Outcome(NamedTuple):
    """What an API server answers when it refuses."""

    status: int
    reason: str
    message: str
    details: Document


@dataclass(frozen=True)
class TestNamespace:
    """The namespace *name*, as *client* sees it."""

    client: JsonClient
    name: str

    @property
    def path(self) -> str:
        """The namespace itself."""
        return f"/api/v1/namespaces/{self.name}"

    @property
    def pods(self) -> str:
        """Where its pods are."""
        return f"{self.path}/pods"

    @property
    def jobs(self) -> str:
        """Where its Jobs are."""
        return f"/apis/batch/v1/namespaces/{self.name}/jobs"

    def open(self) -> None:
        """Makes it, and waits until pods may come: they need the account that each namespace gets."""
        self.client.create("/api/v1/namespaces", {"metadata": {"name": self.name}})
        eventually(lambda: self.client.get(f"{self.path}/serviceaccounts")["items"], bool)

    def close(self) -> None:
        """Deletes it."""
        self.client.delete(self.path)

    def label(self, **labels: str) -> None:
        """Labels it."""
        self.client.patch(self.path, {"metadata": {"labels": labels}})

    def bound(self, **hard: str) -> None:
        """Gives it a quota, named `room`, and waits until the API server's own copy of the quota follows."""
        quotas = f"{self.path}/resourcequotas"
        self.client.create(quotas, {"metadata": {"name": "room"}, "spec": {"hard": {**hard, JOBS: "0"}}})
        eventually(self._takes_jobs, lambda takes: not takes)
        if hard.get(JOBS) != "0":
            self.client.patch(f"{quotas}/room", {"spec": {"hard": {JOBS: None, **hard}}})
            eventually(self._takes_jobs, bool)

    def used(self) -> dict[str, str]:
        """What its quota says is used."""
        quota = self.client.get(f"{self.path}/resourcequotas/room")
        used: dict[str, str] = quota.get("status", {}).get("used", {})
        return used

    def submit(self, manifest: Document, query: str = "") -> Document:
        """What the API server makes of *manifest*."""
        return self.client.create(self.jobs + query, manifest)

    def job(self, name: str) -> Document:
        """The Job of that name."""
        return self.client.get(f"{self.jobs}/{name}")

    def pods_of(self, job: str) -> list[Document]:
        """The pods that carry the name of *job*."""
        found: list[Document] = self.client.get(self.pods, labelSelector=f"batch.kubernetes.io/job-name={job}")["items"]
        return found

    def events(self, reason: str) -> list[str]:
        """The messages of the events with that *reason*."""
        found = self.client.get(f"{self.path}/events", fieldSelector=f"reason={reason}")["items"]
        return [event["message"] for event in found]

    def await_end(self, job: str) -> Document:
        """The condition that ended *job*, once it has one."""
        status = eventually(lambda: self.job(job)["status"], lambda status: bool(_ends(status)))
        return _ends(status)[0]

    def await_pods(self, job: str, count: int = 1, phase: str = "") -> list[Document]:
        """The pods of *job*, once there are so many, in that *phase* where it matters."""

        def there(pods: list[Document]) -> bool:
            return len(pods) == count and all(phase in ("", pod["status"]["phase"]) for pod in pods)

        return eventually(lambda: self.pods_of(job), there)

    def _takes_jobs(self) -> bool:
        try:
            self.submit(job("probe"), "?dryRun=All")
        except Refused:
            return False
        return True


def job(name: str, simulate: str = "", gpus: int = 1, image: str = "image:1", **spec: object) -> Document:
    """A Job whose one container goes as *simulate* says and asks for *gpus*."""
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


def outcome_of(action: Callable[[], object]) -> Outcome:
    """The refusal that *action* meets."""
    with pytest.raises(Refused) as caught:
        action()
    status = json.loads(caught.value.body)
    assert (status["kind"], status["status"], status["code"]) == ("Status", "Failure", caught.value.status)
    return Outcome(caught.value.status, status["reason"], status["message"], status.get("details", {}))


def _ends(status: Document) -> list[Document]:
    ended = [one for one in status.get("conditions", []) if one["type"] in ("Complete", "Failed")]
    return [one for one in ended if one["status"] == "True"]
