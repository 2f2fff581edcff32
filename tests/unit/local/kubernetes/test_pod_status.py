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


class TestSimulation:
    """How a pod asks to go."""

    @pytest.mark.parametrize(
        ("asking", "asked"),
        [
            pytest.param(pod(), "", id="not at all"),
            pytest.param(pod(variable="exit-1"), "exit-1", id="by a variable"),
            pytest.param(pod("exit-2", "exit-1"), "exit-2", id="the annotation goes first"),
            pytest.param(pod(image="no-such-image:1"), "image-pull", id="by its image"),
        ],
    )
    def test_is_found(self, asking: dict[str, Any], asked: str) -> None:
        """An annotation, a variable or the image's name says it."""
        assert asked == pod_status.simulation(asking)


class TestBegun:
    """A pod that came to its node."""

    @pytest.mark.parametrize(
        ("simulate", "reason"),
        [
            ("image-pull", "ImagePullBackOff"),
            ("image-unauthorized", "ImagePullBackOff"),
            ("image-unreachable", "ImagePullBackOff"),
            ("config-error", "CreateContainerConfigError"),
            ("mount-failed", "ContainerCreating"),
            ("waiting-Strange", "Strange"),
        ],
    )
    def test_waits(self, simulate: str, reason: str) -> None:
        """The container says what for."""
        status, event = pod_status.begun(pod(simulate), NOW)

        assert (status["phase"], event.type) == ("Pending", "Warning")
        assert reason == status["containerStatuses"][0]["state"]["waiting"]["reason"]

    def test_runs(self) -> None:
        """The container is ready."""
        status, event = pod_status.begun(pod(), NOW)

        assert (status["phase"], event.reason) == ("Running", "Started")

    def test_runs_again(self) -> None:
        """How it ended before is told."""
        status, _ = pod_status.begun(pod("restarted"), NOW)

        (container,) = status["containerStatuses"]
        assert (container["restartCount"], container["lastState"]["terminated"]["exitCode"]) == (1, 1)

    def test_is_not_ready_on_a_node_that_is_lost(self) -> None:
        """As far as anybody knows it runs."""
        status, event = pod_status.begun(pod("node-not-ready"), NOW)

        assert (status["phase"], status["conditions"][-1]["status"], event.reason) == (
            "Running",
            "False",
            "NodeNotReady",
        )


class TestEnded:
    """A pod whose time is over."""

    @pytest.mark.parametrize(
        ("simulate", "code", "reason"),
        [
            ("", 0, "Completed"),
            ("start-error", 128, "StartError"),
            ("exit-3", 3, "Error"),
            ("OOMKilled", 137, "OOMKilled"),
            ("Evicted", 137, "Error"),
        ],
    )
    def test_says_how(self, simulate: str, code: int, reason: str) -> None:
        """The container has an exit code and a reason."""
        status, _ = pod_status.ended(pod(simulate), NOW)

        end = status["containerStatuses"][0]["state"]["terminated"]
        assert (end["exitCode"], end["reason"]) == (code, reason)

    def test_evicted_pod_is_disrupted(self) -> None:
        """The pod itself says so, and an event."""
        status, event = pod_status.ended(pod("Evicted"), NOW)

        assert (status["reason"], status["conditions"][-1]["type"]) == ("Evicted", "DisruptionTarget")
        assert event is not None

    def test_killed_pod_has_failed(self) -> None:
        """A pod deleted before its end did not succeed."""
        assert pod_status.killed(pod(), NOW)["phase"] == "Failed"
