"""The Receipt of a Job that is cleaned up."""

from __future__ import annotations

import json
from typing import Any

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
    most_informative_pod,
    object_key,
)
from chalicelib.domain.kubernetes.jobs import Job
from chalicelib.domain.kubernetes.pods import ContainerState, ContainerStatus, Pod, PodStatus, Terminated
from chalicelib.domain.labels import SUBMISSION_ANNOTATION
from chalicelib.domain.manifest.job import render
from tests.support.builders import ALICE, NOW, NOW_MS, TEAM_A, container, exited, identity, minutes_ago, pod, submission
from tests.support.kubernetes_objects import objects

CANARY = "hunter2-the-canary"
CONDITIONS = {
    "Complete": {"type": "Complete", "status": "True", "lastTransitionTime": NOW.isoformat()},
    "Failed": {
        "type": "Failed", "status": "True", "lastTransitionTime": NOW.isoformat(), "reason": "BackoffLimitExceeded"
    },
}  # fmt: skip


def stored(end: str = "Complete", succeeded: int = 1, failed: int = 0, **fields: object) -> dict[str, Any]:
    """A Job of Alice's that ran for an hour until NOW, as the cluster stores it."""
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
    """A pod that ran for *minutes* until NOW, or of which nobody knows."""
    end = Terminated(exit_code=0, started_at=minutes_ago(minutes), finished_at=NOW) if minutes is not None else None
    state = ContainerState(terminated=end)
    status = PodStatus(container_statuses=[ContainerStatus(name="main", state=state, image_id="busybox@sha256:1")])
    return pod(phase, status=status, containers=[container(gpus=gpus)], node=node)


class TestReceipt:
    """What it tells."""

    def test_of_a_job_that_succeeded(self) -> None:
        """All of it, from what was asked to what it cost."""
        found = build_receipt(TEAM_A, stored(), [ran(30)], "done\n")

        assert msgspec.to_builtins(found) == {
            "id": "uid-1",
            "project": "team-a",
            "name": "train-1",
            "user": "alice",
            "outcome": "Succeeded",
            "reason": None,
            "message": None,
            "attempts": 1,
            "nodes": ["node-1"],
            "imageDigests": ["busybox@sha256:1"],
            "createdAt": NOW_MS - 3_660_000,
            "startedAt": NOW_MS - 3_600_000,
            "finishedAt": NOW_MS,
            "gpuSeconds": 3600.0,
            "gpuSecondsFrom": "pods",
            "submission": {"project": "team-a", "image": "busybox", "gpu": 2},
            "spec": stored()["spec"],
            "log": "done\n",
        }

    def test_of_a_job_that_failed(self) -> None:
        """Why, and after how many attempts."""
        pods = [pod("Failed", status=exited(137, "OOMKilled"))]

        found = build_receipt(TEAM_A, stored("Failed", 0, 3), pods, None)

        assert (found.outcome, found.reason, found.attempts) == ("Failed", "OOMKilled", 3)

    def test_tells_no_secret(self) -> None:
        """Neither where it was asked nor where it ran."""
        secret = stored(environment={"PASSWORD": CANARY}, command=f"train {CANARY}", arguments=[CANARY])

        found = build_receipt(TEAM_A, secret, [], None)

        assert CANARY in json.dumps(secret)
        assert CANARY not in msgspec.json.encode(found).decode()
        assert found.submission
        assert found.submission["environment"] == {"PASSWORD": "***"}

    def test_is_bounded(self) -> None:
        """A Job of many pods, and one that talks much."""
        pods = [ran(1, node=f"node-{number}") for number in range(MAX_NAMED + 1)]

        found = build_receipt(TEAM_A, stored(), pods, "x" * MAX_LOG + "end")

        assert (len(found.nodes), len(found.log or "")) == (MAX_NAMED, MAX_LOG)
        assert (found.log or "").endswith("end")

    @pytest.mark.parametrize("text", ["", "{", "null", "7", '"x"', "[" * 100_000])
    def test_unreadable_submission_is_none(self, text: str) -> None:
        """Somebody changed the annotation by hand."""
        changed = stored()
        changed["metadata"]["annotations"][SUBMISSION_ANNOTATION] = text

        assert build_receipt(TEAM_A, changed, [], None).submission is None

    @given(objects(Job), st.lists(objects(Pod), max_size=3))
    def test_every_job_has_one(self, odd: Job, pods: list[Pod]) -> None:
        """However odd, so that no Job stops a cleanup."""
        found = build_receipt(TEAM_A, msgspec.to_builtins(odd, builtin_types=()), pods, None)

        assert msgspec.json.decode(msgspec.json.encode(found))["name"] == odd.metadata.name

    def test_example_is_one(self) -> None:
        """The document shows what is really answered."""
        assert msgspec.to_builtins(msgspec.convert(EXAMPLE, Receipt)) == EXAMPLE


def test_keys() -> None:
    """By the day of the end, so that a day's are listed together, and by the uid; the newest by its name alone."""
    assert object_key(build_receipt(TEAM_A, stored(), [], None)) == "receipts/team-a/2026/11/24/train-1-uid-1.json"
    assert latest_key("team-a", "train-1") == "receipts/team-a/latest/train-1.json"


class TestTellingPod:
    """Whose log is kept."""

    def test_last_one_that_failed(self) -> None:
        """It says why the Job failed, though another one succeeded later."""
        first = pod("Failed", name="first", creation_timestamp=minutes_ago(3))
        last = pod("Failed", name="last", creation_timestamp=minutes_ago(2))

        assert most_informative_pod([last, first, pod("Succeeded")]) is last

    def test_last_one_where_none_failed(self) -> None:
        """The newest, or nobody."""
        last = pod("Succeeded", name="last")

        assert most_informative_pod([last, pod("Succeeded", creation_timestamp=minutes_ago(2))]) is last
        assert most_informative_pod([]) is None
