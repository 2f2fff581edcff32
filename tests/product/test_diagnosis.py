"""Every cause that a diagnosis can come to, brought about on the cluster; and a Job's events.

With CAPTURE=1 on the real cluster the objects go to tests/unit/domain/diagnosis/captured.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from chalicelib.domain.diagnosis.causes import Cause
from infra.localcluster.fake_node import NAME as NODE_NAME
from infra.localcluster.kinds import EVENT, JOB, POD
from infra.localcluster.pod_status import SIMULATE_VARIABLE
from tests.product.by_hand import by_hand
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack
    from tests.support.api import Api

CAPTURED = Path(__file__).parents[1] / "unit" / "domain" / "diagnosis" / "captured"
NAMESPACE = "researcher-team-a"
RUNS_ON: dict[str, Any] = {"environment": {SIMULATE_VARIABLE: "run-forever"}}


def goes(simulated: str, **fields: object) -> dict[str, Any]:
    """The fields of a Job whose pod goes as *simulated*."""
    return {"environment": {SIMULATE_VARIABLE: simulated}, **fields}


SUBMITTED = [
    ("UnschedulableResources", {"gpu": 9}),
    ("UnschedulableSelector", {"nodeType": "p99.gigantic"}),
    ("VolumeUnavailable", {"pvc": [{"path": "/data", "name": "no-such-claim"}]}),
    ("VolumeUnavailable-mount", goes("mount-failed")),
    ("ImageNotFound", goes("image-pull")),
    ("ImageUnauthorized", goes("image-unauthorized")),
    ("ImageUnavailable", goes("image-unreachable")),
    ("ConfigMissing", goes("config-error")),
    ("CannotStart", goes("start-error", backoffLimit=0)),
    ("CannotStart-waits", goes("waiting-CreateContainerError")),
    ("OutOfMemory", goes("OOMKilled", backoffLimit=0)),
    ("OutOfMemory-retrying", goes("OOMKilled", backoffLimit=1)),
    ("ExitCode", goes("exit-3", backoffLimit=0)),
    ("DeadlineExceeded", goes("run-forever", maxRuntimeSeconds=1)),
    ("Evicted", goes("Evicted", backoffLimit=0)),
    ("NodeLost", goes("node-lost")),
    ("NodeLost-running", goes("node-not-ready")),
    ("Starting", goes("starting")),
    ("Running", RUNS_ON),
    ("Succeeded", {}),
    ("Unknown", goes("waiting-Strange")),
]
"""The cause, maybe with a variant's name, and the submission that leads there."""
BY_HAND: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "NoPodsAdmission": ({}, {}),
    "Suspended": ({}, {"suspend": True}),
    "QueueWaiting": ({"labels": {"kueue.x-k8s.io/queue-name": "gpus"}}, {"suspend": True}),
}
"""The cause, and the metadata and the spec of a Job that somebody made with kubectl."""


@pytest.fixture
def job(api: Api) -> Iterator[str]:
    """The name of a Job of the test's own."""
    name = f"why-{secrets.token_hex(3)}"
    yield name
    api.ask("DELETE", f"/jobs/team-a/{name}")


def diagnosed(stack: Stack, api: Api, job: str, case: str) -> dict[str, Any]:
    """The diagnosis, once it is the cause that *case* begins with."""
    cause = case.partition("-")[0]

    def look() -> dict[str, Any]:
        found: dict[str, Any] = api.ask("GET", f"/jobs/team-a/{job}/diagnosis").raise_for_status().json()
        return found

    found = eventually(look, lambda diagnosis: diagnosis["cause"] == cause)
    if os.environ.get("CAPTURE"):
        _capture(stack, job, case)
    return found


def _capture(stack: Stack, job: str, case: str) -> None:
    jobs = [one for one in stack.cluster.find(JOB, NAMESPACE) if one["metadata"]["name"] == job]
    pods = [one for one in stack.cluster.find(POD, NAMESPACE) if one["metadata"]["labels"].get("job-name") == job]
    events = [one for one in stack.cluster.find(EVENT, NAMESPACE) if one["involvedObject"]["name"].startswith(job)]
    for one in (*jobs, *pods, *events):
        one["metadata"].pop("managedFields", None)
    CAPTURED.mkdir(exist_ok=True)
    text = json.dumps({"job": jobs[0], "pods": pods, "events": events}, indent=1, sort_keys=True)
    (CAPTURED / f"{case}.json").write_text(text.replace(job, "train-1") + "\n", encoding="utf-8")


class TestCauses:
    """Why a Job is where it is, in one word of a closed list."""

    @pytest.mark.parametrize(("case", "fields"), SUBMITTED, ids=[case for case, _ in SUBMITTED])
    def test_of_a_submitted_job(self, stack: Stack, api: Api, job: str, case: str, fields: dict[str, Any]) -> None:
        """The diagnosis has evidence about the Job or its pod, a remedy, and since when."""
        api.submit(name=job, **fields).raise_for_status()

        found = diagnosed(stack, api, job, case)

        assert found["evidence"]["object"]["name"].startswith(job)
        assert all([found["evidence"]["field"], found["evidence"]["message"], found["remedy"], found["since"]])

    def test_of_a_job_that_the_quota_has_no_room_for(self, stack: Stack, api: Api, job: str) -> None:
        """As long as another Job has all of it; one that never fits would not have been made."""
        api.waiting_job(f"{job}-first")
        api.submit(name=job, gpu=8).raise_for_status()

        found = diagnosed(stack, api, job, "NoPodsQuota")

        api.ask("DELETE", f"/jobs/team-a/{job}-first")
        assert "exceeded quota" in found["evidence"]["message"]

    @pytest.mark.parametrize("case", BY_HAND)
    def test_of_a_job_by_hand(self, stack: Stack, api: Api, job: str, case: str) -> None:
        """Jobs that others made are diagnosed as well."""
        marks, spec = BY_HAND[case]
        stack.cluster.apply([by_hand({"name": job, **marks}, privileged=True, **spec)])

        assert diagnosed(stack, api, job, case)["evidence"]["object"] == {"kind": "Job", "name": job}

    def test_taint(self, stack: Stack, api: Api, job: str) -> None:
        """The only node is kept for others."""
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE_NAME}}
        taint = {"key": "maintenance", "effect": "NoSchedule"}
        stack.cluster.apply([{**node, "spec": {"taints": [taint]}}])

        api.submit(name=job)

        assert "untolerated taint" in diagnosed(stack, api, job, "UnschedulableTaint")["evidence"]["message"]
        stack.cluster.apply([{**node, "spec": {"taints": []}}])
        diagnosed(stack, api, job, "Succeeded")

    def test_preemption(self, stack: Stack, api: Api, job: str) -> None:
        """A Job that matters more took the GPUs."""
        api.submit(name=job, gpu=6, preemptible=True, **RUNS_ON)
        eventually(
            lambda: api.ask("GET", f"/jobs/team-a/{job}").json()["data"][0]["status"], lambda one: one == "Running"
        )

        api.submit(name=f"{job}-rival", gpu=6, **RUNS_ON)

        assert diagnosed(stack, api, job, "Preempted")["evidence"]["field"] == "event Preempted"
        api.ask("DELETE", f"/jobs/team-a/{job}-rival")

    def test_deletion(self, stack: Stack, api: Api, job: str) -> None:
        """Something holds the Job, which is on its way out."""
        metadata = {"name": job, "finalizers": ["example.com/held"]}
        stack.cluster.apply([by_hand(metadata, suspend=True)])

        api.ask("DELETE", f"/jobs/team-a/{job}")

        assert diagnosed(stack, api, job, "Terminating")["evidence"]["field"] == "metadata.deletionTimestamp"
        stack.cluster.apply([by_hand({**metadata, "finalizers": []}, suspend=True)])

    def test_list_is_complete(self) -> None:
        """A new cause needs its case here."""
        cases = [
            *(case for case, _ in SUBMITTED),
            *BY_HAND,
            "NoPodsQuota",
            "UnschedulableTaint",
            "Preempted",
            "Terminating",
        ]

        assert {case.partition("-")[0] for case in cases} == set(get_args(Cause))


class TestEvents:
    """GET .../events."""

    def test_of_the_job_and_its_pod_in_order(self, api: Api, job: str) -> None:
        """From the Job's creation of a pod to the start of its container."""
        api.submit(name=job, **RUNS_ON)

        events = eventually(
            lambda: api.ask("GET", f"/jobs/team-a/{job}/events").json()["data"],
            lambda events: {"SuccessfulCreate", "Scheduled", "Started"} <= {event["reason"] for event in events},
        )

        assert [event["lastSeen"] for event in events] == sorted(event["lastSeen"] for event in events)
        assert {event["object"]["kind"] for event in events} == {"Job", "Pod"}

    def test_repeated_ones_are_counted(self, api: Api, job: str) -> None:
        """A quota that refuses one pod after the other is one event."""
        api.waiting_job(f"{job}-first")
        api.submit(name=job, gpu=8)

        (event,) = eventually(
            lambda: api.ask("GET", f"/jobs/team-a/{job}/events").json()["data"],
            lambda events: bool(events) and events[0]["count"] > 1,
        )

        api.ask("DELETE", f"/jobs/team-a/{job}-first")
        assert (event["reason"], event["firstSeen"] <= event["lastSeen"]) == ("FailedCreate", True)

    def test_of_a_pod_that_is_gone(self, api: Api, job: str) -> None:
        """The Job's own events name it."""
        api.submit(name=job, **goes("run-forever", maxRuntimeSeconds=1))

        events = eventually(
            lambda: api.ask("GET", f"/jobs/team-a/{job}/events").json()["data"],
            lambda events: "DeadlineExceeded" in {event["reason"] for event in events},
        )

        assert "Started" in {event["reason"] for event in events}
