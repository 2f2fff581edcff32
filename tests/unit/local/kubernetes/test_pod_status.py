"""What a kubelet would report."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from infra.local.kubernetes import pod_status

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def pod(simulate: str = "", variable: str = "", image: str = "image:1") -> dict[str, Any]:
    """A pod of one container."""
    container: dict[str, Any] = {"name": "main", "image": image}
    if variable:
        container["env"] = [{"name": pod_status.SIMULATE_VARIABLE, "value": variable}]
    annotations = {pod_status.SIMULATE: simulate} if simulate else {}
    return {"metadata": {"annotations": annotations}, "spec": {"containers": [container]}, "status": {}}


@pytest.mark.parametrize(
    ("asking", "asked"),
    [
        pytest.param(pod(), "", id="not at all"),
        pytest.param(pod(variable="exit-1"), "exit-1", id="by a variable"),
        pytest.param(pod("exit-2", "exit-1"), "exit-2", id="the annotation goes first"),
        pytest.param(pod(image="no-such-image:1"), "image-pull", id="by its image"),
    ],
)
def test_simulation(asking: dict[str, Any], asked: str) -> None:
    """An annotation, a variable or the image's name says how a pod goes."""
    assert asked == pod_status.simulation(asking)


@pytest.mark.parametrize(
    ("simulate", "phase", "waiting", "ready", "restarts", "event"),
    [
        ("", "Running", None, "True", 0, "Started"),
        ("restarted", "Running", None, "True", 1, "Started"),
        ("node-not-ready", "Running", None, "False", 0, "NodeNotReady"),
        ("image-pull", "Pending", "ImagePullBackOff", "False", 0, "Failed"),
        ("image-unauthorized", "Pending", "ImagePullBackOff", "False", 0, "Failed"),
        ("image-unreachable", "Pending", "ImagePullBackOff", "False", 0, "Failed"),
        ("config-error", "Pending", "CreateContainerConfigError", "False", 0, "Failed"),
        ("mount-failed", "Pending", "ContainerCreating", "False", 0, "FailedMount"),
        ("waiting-Strange", "Pending", "Strange", "False", 0, "Failed"),
    ],
)
def test_begun(  # noqa: PLR0913, PLR0917 - what a pod is, in columns
    simulate: str, phase: str, waiting: str | None, ready: str, restarts: int, event: str
) -> None:
    """A pod that came to its node runs, or says what its container waits for."""
    status, said = pod_status.begun(pod(simulate), NOW)

    (container,) = status["containerStatuses"]
    assert (status["phase"], said.reason, status["conditions"][-1]["status"]) == (phase, event, ready)
    assert container["state"].get("waiting", {}).get("reason") == waiting
    assert container["restartCount"] == restarts


@pytest.mark.parametrize(
    ("simulate", "code", "reason", "condition"),
    [
        ("", 0, "Completed", "Ready"),
        ("start-error", 128, "StartError", "Ready"),
        ("exit-3", 3, "Error", "Ready"),
        ("OOMKilled", 137, "OOMKilled", "Ready"),
        ("Evicted", 137, "Error", "DisruptionTarget"),
    ],
)
def test_ended(simulate: str, code: int, reason: str, condition: str) -> None:
    """A container has an exit code and a reason; of an eviction the pod itself tells, and an event."""
    status, event = pod_status.ended(pod(simulate), NOW)

    end = status["containerStatuses"][0]["state"]["terminated"]
    assert (end["exitCode"], end["reason"], status["conditions"][-1]["type"]) == (code, reason, condition)
    assert (status.get("reason"), event is None) == (("Evicted", False) if simulate == "Evicted" else (None, True))


def test_killed_pod_has_failed() -> None:
    """A pod deleted before its end did not succeed."""
    assert pod_status.killed(pod(), NOW)["phase"] == "Failed"
