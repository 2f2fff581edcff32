"""Every cause of a diagnosis, produced on the cluster; and the events of a Job.

With CAPTURE=1 on the real cluster, the objects are written to tests/unit/domain/diagnosis/captured.
"""

from __future__ import annotations

import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from chalicelib.domain.diagnosis.causes import Cause
from chalicelib.domain.labels import INCOMPLETE_ANNOTATION
from infra.localcluster.fake_node import NAME as NODE_NAME
from infra.localcluster.kinds import EVENT, JOB, POD
from infra.localcluster.simulation import SIMULATE_VARIABLE
from tests.product.by_hand import by_hand
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack
    from tests.support.api import Api

CAPTURED = Path(__file__).parents[1] / "unit" / "domain" / "diagnosis" / "captured"
NAMESPACE = "researcher-team-a"
RUN_FOREVER: dict[str, Any] = {"environment": {SIMULATE_VARIABLE: "run-forever"}}


def simulate(simulated: str, **fields: object) -> dict[str, Any]:
    """Return the fields of a Job whose pod behaves as *simulated*."""
    return {"environment": {SIMULATE_VARIABLE: simulated}, **fields}


SUBMITTED = [
    ("UnschedulableResources", {"gpu": 9}),
    ("UnschedulableSelector", {"nodeType": "p99.gigantic"}),
    ("VolumeUnavailable", {"pvc": [{"path": "/data", "name": "no-such-claim"}]}),
    ("VolumeUnavailable-mount", simulate("mount-failed")),
    ("ImageNotFound", simulate("image-pull")),
    ("ImageUnauthorized", simulate("image-unauthorized")),
    ("ImageUnavailable", simulate("image-unreachable")),
    ("ConfigMissing", simulate("config-error")),
    ("CannotStart", simulate("start-error", backoffLimit=0)),
    ("CannotStart-waits", simulate("waiting-CreateContainerError")),
    ("OutOfMemory", simulate("OOMKilled", backoffLimit=0)),
    ("OutOfMemory-retrying", simulate("OOMKilled", backoffLimit=1)),
    ("ExitCode", simulate("exit-3", backoffLimit=0)),
    ("DeadlineExceeded", simulate("run-forever", maxRuntimeSeconds=1)),
    ("Evicted", simulate("Evicted", backoffLimit=0)),
    ("NodeLost", simulate("node-lost")),
    ("NodeLost-running", simulate("node-not-ready")),
    ("Starting", simulate("starting")),
    ("Running", RUN_FOREVER),
    ("Succeeded", {}),
    ("Unknown", simulate("waiting-Strange")),
]
"""The cause, with an optional variant, and the submission that leads to it."""
CREATED_BY_KUBECTL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "NoPodsAdmission": ({}, {}),
    "Suspended": ({}, {"suspend": True}),
    "Incomplete": ({"annotations": {INCOMPLETE_ANNOTATION: ""}}, {"suspend": True}),
    "QueueWaiting": ({"labels": {"kueue.x-k8s.io/queue-name": "gpus"}}, {"suspend": True}),
}
"""The cause, and the metadata and spec of a Job that is created with kubectl."""


@pytest.fixture
def job(api: Api) -> Iterator[str]:
    """Return a unique Job name, and delete the Job afterwards."""
    name = f"why-{secrets.token_hex(3)}"
    yield name
    api.request("DELETE", f"/jobs/team-a/{name}")


def await_cause(stack: Stack, api: Api, job: str, case: str) -> dict[str, Any]:
    """Wait until the diagnosis has the cause that *case* begins with, and return it."""
    cause = case.partition("-")[0]

    def get_diagnosis() -> dict[str, Any]:
        found: dict[str, Any] = api.request("GET", f"/jobs/team-a/{job}/diagnosis").raise_for_status().json()
        return found

    found = eventually(get_diagnosis, lambda diagnosis: diagnosis["cause"] == cause)
    if os.environ.get("CAPTURE"):
        _capture(stack, job, case)
    return found


def _capture(stack: Stack, job: str, case: str) -> None:
    jobs = [each for each in stack.cluster.find(JOB, NAMESPACE) if each["metadata"]["name"] == job]
    pods = [each for each in stack.cluster.find(POD, NAMESPACE) if each["metadata"]["labels"].get("job-name") == job]
    events = [each for each in stack.cluster.find(EVENT, NAMESPACE) if each["involvedObject"]["name"].startswith(job)]
    for each in (*jobs, *pods, *events):
        each["metadata"].pop("managedFields", None)
    CAPTURED.mkdir(exist_ok=True)
    text = json.dumps({"job": jobs[0], "pods": pods, "events": events}, indent=1, sort_keys=True)
    (CAPTURED / f"{case}.json").write_text(text.replace(job, "train-1") + "\n", encoding="utf-8")


class TestCauses:
    """The cause of a Job's state, from a closed list."""

    @pytest.mark.parametrize(("case", "fields"), SUBMITTED, ids=[case for case, _ in SUBMITTED])
    def test_of_a_submitted_job(self, stack: Stack, api: Api, job: str, case: str, fields: dict[str, Any]) -> None:
        """The diagnosis has evidence about the Job or its pod, a remedy, and the time since when it applies."""
        api.submit(name=job, **fields).raise_for_status()

        found = await_cause(stack, api, job, case)

        assert found["evidence"]["object"]["name"].startswith(job)
        assert all([found["evidence"]["field"], found["evidence"]["message"], found["remedy"], found["since"]])

    def test_quota_is_used_up(self, stack: Stack, api: Api, job: str) -> None:
        """Pods that exceed the quota wait while another Job uses it up."""
        api.create_pending_job(f"{job}-first")
        api.submit(name=job, gpu=8).raise_for_status()

        found = await_cause(stack, api, job, "NoPodsQuota")

        api.request("DELETE", f"/jobs/team-a/{job}-first")
        assert "exceeded quota" in found["evidence"]["message"]

    @pytest.mark.parametrize("case", CREATED_BY_KUBECTL)
    def test_of_a_job_of_kubectl(self, stack: Stack, api: Api, job: str, case: str) -> None:
        """Jobs that were not created through the API are diagnosed as well."""
        metadata, spec = CREATED_BY_KUBECTL[case]
        stack.cluster.apply([by_hand({"name": job, **metadata}, privileged=True, **spec)])

        assert await_cause(stack, api, job, case)["evidence"]["object"] == {"kind": "Job", "name": job}

    def test_taint(self, stack: Stack, api: Api, job: str) -> None:
        """A taint on the only node is the cause."""
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE_NAME}}
        taint = {"key": "maintenance", "effect": "NoSchedule"}
        stack.cluster.apply([{**node, "spec": {"taints": [taint]}}])

        api.submit(name=job)

        assert "untolerated taint" in await_cause(stack, api, job, "UnschedulableTaint")["evidence"]["message"]
        stack.cluster.apply([{**node, "spec": {"taints": []}}])
        await_cause(stack, api, job, "Succeeded")

    def test_preemption(self, stack: Stack, api: Api, job: str) -> None:
        """A Job that a Job of higher priority has preempted is diagnosed as such."""
        api.submit(name=job, gpu=6, preemptible=True, **RUN_FOREVER)
        eventually(
            lambda: api.request("GET", f"/jobs/team-a/{job}").json()["data"][0]["status"],
            lambda status: status == "Running",
        )

        api.submit(name=f"{job}-rival", gpu=6, **RUN_FOREVER)

        # The pod may not be gone yet, and then its condition is the evidence.
        fields = {"event Preempted", "status.conditions[DisruptionTarget]"}
        assert await_cause(stack, api, job, "Preempted")["evidence"]["field"] in fields
        api.request("DELETE", f"/jobs/team-a/{job}-rival")

    def test_deletion(self, stack: Stack, api: Api, job: str) -> None:
        """A Job that a finalizer holds is diagnosed as terminating."""
        metadata = {"name": job, "finalizers": ["example.com/held"]}
        stack.cluster.apply([by_hand(metadata, suspend=True)])

        api.request("DELETE", f"/jobs/team-a/{job}")

        assert await_cause(stack, api, job, "Terminating")["evidence"]["field"] == "metadata.deletionTimestamp"
        stack.cluster.apply([by_hand({**metadata, "finalizers": []}, suspend=True)])

    def test_queue_is_required(self, stack: Stack, api: Api, job: str) -> None:
        """A Job that Kueue suspends because it has no queue is diagnosed by Kueue's event."""
        stack.cluster.apply([by_hand({"name": job}, suspend=True)])
        (uid,) = [
            each["metadata"]["uid"] for each in stack.cluster.find(JOB, NAMESPACE) if each["metadata"]["name"] == job
        ]
        about = {"apiVersion": "batch/v1", "kind": "Job", "namespace": NAMESPACE, "name": job, "uid": uid}

        stack.cluster.apply([_event(about, "CreatedWorkload", "batch/job-kueue-controller")])

        assert await_cause(stack, api, job, "QueueRequired")["evidence"]["field"] == "spec.suspend"

    def test_all_causes_have_a_case(self) -> None:
        """Every cause has a case in this module, except QueueRequired: no cluster of the tests runs Kueue."""
        cases = [
            *(case for case, _ in SUBMITTED),
            *CREATED_BY_KUBECTL,
            "NoPodsQuota",
            "UnschedulableTaint",
            "Preempted",
            "QueueRequired",
            "Terminating",
            "QueueRequired",
        ]

        assert {case.partition("-")[0] for case in cases} == set(get_args(Cause))


def _event(about: dict[str, Any], reason: str, component: str) -> dict[str, Any]:
    """Return an event of *component* about an object."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{about['name']}.{reason.lower()}", "namespace": about["namespace"]},
        "involvedObject": about,
        "reason": reason,
        "message": reason,
        "type": "Normal",
        "source": {"component": component},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }


class TestEvents:
    """GET .../events."""

    def test_of_the_job_and_its_pod_in_order(self, api: Api, job: str) -> None:
        """The events lead in order from the creation of the pod to the start of its container."""
        api.submit(name=job, **RUN_FOREVER)

        events = eventually(
            lambda: api.request("GET", f"/jobs/team-a/{job}/events").json()["data"],
            lambda events: {"SuccessfulCreate", "Scheduled", "Started"} <= {event["reason"] for event in events},
        )

        assert [event["lastSeen"] for event in events] == sorted(event["lastSeen"] for event in events)
        assert {event["object"]["kind"] for event in events} == {"Job", "Pod"}

    def test_repeated_events_are_aggregated(self, api: Api, job: str) -> None:
        """Repeated events, such as those of a quota that rejects pods, are one event with a count."""
        api.create_pending_job(f"{job}-first")
        api.submit(name=job, gpu=8)

        (event,) = eventually(
            lambda: api.request("GET", f"/jobs/team-a/{job}/events").json()["data"],
            lambda events: bool(events) and events[0]["count"] > 1,
        )

        api.request("DELETE", f"/jobs/team-a/{job}-first")
        assert (event["reason"], event["firstSeen"] <= event["lastSeen"]) == ("FailedCreate", True)

    def test_of_a_deleted_pod(self, api: Api, job: str) -> None:
        """The events of a deleted pod are found through the events of its Job."""
        api.submit(name=job, **simulate("run-forever", maxRuntimeSeconds=1))

        events = eventually(
            lambda: api.request("GET", f"/jobs/team-a/{job}/events").json()["data"],
            lambda events: "DeadlineExceeded" in {event["reason"] for event in events},
        )

        assert "Started" in {event["reason"] for event in events}
