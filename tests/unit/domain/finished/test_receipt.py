"""Tests of Receipts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.finished.receipt import (
    EXAMPLE,
    MAX_LOG,
    MAX_NAMED,
    Receipt,
    build_receipt,
    latest_key,
    logged_container,
    object_key,
)
from chalicelib.domain.kubernetes.jobs import Condition, Container, Job
from chalicelib.domain.kubernetes.pods import ContainerState, ContainerStatus, Pod, PodStatus, Terminated
from chalicelib.domain.labels import SUBMISSION_ANNOTATION
from chalicelib.domain.manifest.job import render
from tests.support.builders import ALICE, NOW, NOW_MS, TEAM_A, container, exited, identity, minutes_ago, pod, submission
from tests.support.kubernetes_objects import objects

if TYPE_CHECKING:
    from datetime import datetime

CANARY = "hunter2-the-canary"
CONDITIONS = {
    "Complete": {"type": "Complete", "status": "True", "lastTransitionTime": NOW.isoformat()},
    "Failed": {
        "type": "Failed", "status": "True", "lastTransitionTime": NOW.isoformat(), "reason": "BackoffLimitExceeded"
    },
}  # fmt: skip


def stored(end: str = "Complete", succeeded: int = 1, failed: int = 0, **fields: object) -> dict[str, Any]:
    """Return a Job of Alice that ran for an hour until NOW, as the API server returns it."""
    manifest = render(submission(**{"gpu": 2, **fields}), ALICE, identity())
    manifest["metadata"] |= {"uid": "uid-1", "creationTimestamp": minutes_ago(61).isoformat()}
    manifest["status"] = {
        "startTime": minutes_ago(60).isoformat(),
        "succeeded": succeeded,
        "failed": failed,
        "conditions": [CONDITIONS[end]],
    }
    return manifest


def ran(minutes: float | None, phase: str = "Succeeded", gpus: int = 2, node: str = "node-1") -> Pod:
    """Return a pod that ran for *minutes* until NOW, or whose times are not known."""
    since = None if minutes is None else minutes_ago(minutes)
    state = ContainerState(terminated=Terminated(exit_code=0, finished_at=NOW))
    scheduled = Condition(type="PodScheduled", status="True", last_transition_time=since)
    statuses = [ContainerStatus(name="main", state=state, image_id="busybox@sha256:1")]
    status = PodStatus(conditions=[scheduled], container_statuses=statuses)
    containers = [container(gpus=gpus)]
    return pod(phase, status=status, containers=containers, node=node, creation_timestamp=minutes_ago(60))


def failed(name: str, at: datetime) -> Pod:
    """Return the pod *name*, which failed *at* that time."""
    return pod("Failed", name=name, status=exited(1, at=at), creation_timestamp=minutes_ago(9))


INIT_FAILED = exited(1)
INIT_FAILED.init_container_statuses, INIT_FAILED.container_statuses = INIT_FAILED.container_statuses, []
INIT_FAILED.init_container_statuses[0].name = "fetch"


class TestBuildReceipt:
    """Tests of build_receipt."""

    def test_succeeded_job(self) -> None:
        """The Receipt contains every field, from the submission to the GPU-seconds."""
        receipt = build_receipt(TEAM_A, stored(), [ran(30)], "done\n")

        assert msgspec.to_builtins(receipt) == {
            "id": "uid-1",
            "project": "team-a",
            "name": "train-1",
            "user": "alice",
            "outcome": "Succeeded",
            "reason": None,
            "message": None,
            "exitCode": 0,
            "failedPod": None,
            "attempts": 1,
            "nodes": ["node-1"],
            "imageDigests": ["busybox@sha256:1"],
            "createdAt": NOW_MS - 3_660_000,
            "startedAt": NOW_MS - 3_600_000,
            "finishedAt": NOW_MS,
            "gpuSeconds": 3600.0,
            "gpuSecondsIsLowerBound": False,
            "submission": {"project": "team-a", "image": "busybox", "gpu": 2},
            "spec": stored()["spec"],
            "log": "done\n",
        }

    def test_failed_job(self) -> None:
        """The Receipt contains the reason and the number of attempts."""
        pods = [pod("Failed", status=exited(137, "OOMKilled"))]

        receipt = build_receipt(TEAM_A, stored("Failed", 0, 3), pods, None)

        assert (receipt.outcome, receipt.reason, receipt.attempts) == ("Failed", "OOMKilled", 3)

    def test_contains_no_secret(self) -> None:
        """Secrets are redacted in the submission and in the spec."""
        secret = stored(environment={"PASSWORD": CANARY}, command=f"train {CANARY}", arguments=[CANARY])

        receipt = build_receipt(TEAM_A, secret, [], None)

        assert CANARY in json.dumps(secret)
        assert CANARY not in msgspec.json.encode(receipt).decode()
        assert receipt.submission
        assert receipt.submission["environment"] == {"PASSWORD": "***"}

    def test_size_is_limited(self) -> None:
        """The number of nodes and the length of the log are limited."""
        pods = [ran(1, node=f"node-{number}") for number in range(MAX_NAMED + 1)]

        receipt = build_receipt(TEAM_A, stored(), pods, "x" * MAX_LOG + "end")

        assert (len(receipt.nodes), len(receipt.log or "")) == (MAX_NAMED, MAX_LOG)
        assert (receipt.log or "").endswith("end")

    @pytest.mark.parametrize("text", ["", "{", "null", "7", '"x"', "[" * 100_000])
    def test_invalid_submission_is_null(self, text: str) -> None:
        """Users can edit the annotation."""
        changed = stored()
        changed["metadata"]["annotations"][SUBMISSION_ANNOTATION] = text

        assert build_receipt(TEAM_A, changed, [], None).submission is None

    @given(objects(Job), st.lists(objects(Pod), max_size=3))
    def test_any_job_has_a_receipt(self, job: Job, pods: list[Pod]) -> None:
        """No Job, whatever its fields contain, prevents a cleanup."""
        receipt = build_receipt(TEAM_A, msgspec.to_builtins(job, builtin_types=()), pods, None)

        assert msgspec.json.decode(msgspec.json.encode(receipt))["name"] == job.metadata.name

    def test_example_is_valid(self) -> None:
        """The example in the OpenAPI document is a valid response."""
        assert msgspec.to_builtins(msgspec.convert(EXAMPLE, Receipt)) == EXAMPLE


def test_keys() -> None:
    """The key contains the day of the end and the UID; the key of the latest Receipt only the name."""
    assert object_key(build_receipt(TEAM_A, stored(), [], None)) == "receipts/team-a/2026/11/24/train-1-uid-1.json"
    assert latest_key("team-a", "train-1") == "receipts/team-a/latest/train-1.json"


class TestLoggedContainer:
    """Tests of logged_container."""

    @pytest.mark.parametrize(
        ("pods", "expected"),
        [
            ([failed("first", minutes_ago(3)), failed("last", minutes_ago(2)), pod("Succeeded")], ("first", "main")),
            ([pod("Succeeded", name="last"), pod("Succeeded", creation_timestamp=minutes_ago(2))], ("last", "main")),
            ([pod("Failed", name="a", status=INIT_FAILED)], ("a", "fetch")),
            ([], None),
        ],
    )
    def test_explains_the_end(self, pods: list[Pod], expected: tuple[str, str] | None) -> None:
        """That is the container that failed in the pod which explains the failure, else the last pod's program."""
        for each in pods:
            each.spec.containers = [Container(name="istio-proxy"), Container(name="main")]

        found = logged_container(Job(), pods)

        assert (found and (found[0].metadata.name, found[1])) == expected
