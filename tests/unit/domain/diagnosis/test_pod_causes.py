"""Tests of the causes that the status and the events of a pod show."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.diagnosis.causes import EXPLANATIONS
from chalicelib.domain.diagnosis.finding import Finding
from chalicelib.domain.diagnosis.pod_causes import (
    active_pod_finding,
    failed_pod_finding,
)
from chalicelib.domain.job.event_list import ObjectName
from chalicelib.domain.kubernetes.events import Event
from chalicelib.domain.kubernetes.pods import ContainerState, Pod, PodStatus, Terminated
from tests.support.builders import (
    NOW,
    disrupted,
    event,
    exited,
    job,
    minutes_ago,
    pod,
    running,
    unscheduled,
    waiting,
)
from tests.support.kubernetes_objects import objects

POD = ObjectName("Pod", "train-1-abcde")
MAIN = "status.containerStatuses[main]"


def waiting_cause(status: PodStatus, *events: Event) -> Finding:
    """Return why the pod with *status* is waiting."""
    finding = active_pod_finding(job(), pod("Pending", status=status), events)
    assert finding is not None
    return finding


def about_pod(reason: str, message: str, **fields: Any) -> Event:  # noqa: ANN401 - any field of an event
    """Return an event about the pod of these tests."""
    return event(reason, message, about=pod().metadata, **fields)


class TestImage:
    """Tests of images that cannot be pulled."""

    def test_cause_from_an_event(self) -> None:
        """Older kubelets report only `Back-off pulling image` in the status, and the cause in an event."""
        other = event("Failed", "unauthorized", about=pod(name="another").metadata)

        finding = waiting_cause(waiting("ImagePullBackOff", "Back-off"), other, about_pod("Failed", "x:1: not found"))

        assert (finding.cause, finding.message) == ("ImageNotFound", "x:1: not found")


class TestNode:
    """Tests of pods that cannot be scheduled."""

    def test_since_the_condition_changed(self) -> None:
        """The time is that of the condition, not of the creation of the pod."""
        status = unscheduled(message="Insufficient cpu")
        status.conditions[0].last_transition_time = minutes_ago(3)

        assert waiting_cause(status).since == minutes_ago(3)

    def test_scheduling_gate(self) -> None:
        """A scheduling gate means that a queue holds the pod back."""
        assert waiting_cause(unscheduled("SchedulingGated", "gated")).cause == "QueueWaiting"


class TestContainer:
    """Tests of containers that do not start."""

    @pytest.mark.parametrize(
        ("reason", "cause"),
        [
            ("CreateContainerConfigError", "CannotStart"),
            ("CreateContainerError", "CannotStart"),
            ("RunContainerError", "CannotStart"),
            ("InvalidImageName", "ImageNotFound"),
            ("ErrImageNeverPull", "ImageNotFound"),
            ("CrashLoopBackOff", "ExitCode"),
            ("SomethingNew", "Unknown"),
        ],
    )
    def test_cause_from_the_reason(self, reason: str, cause: str) -> None:
        """The finding has the message of the cluster and the start time of the pod."""
        status = waiting(reason, "why")
        status.start_time = minutes_ago(2)

        assert waiting_cause(status) == Finding(cause, POD, f"{MAIN}.state.waiting", "why", minutes_ago(2))  # type: ignore[arg-type] # a Cause

    @pytest.mark.parametrize(
        ("reason", "cause"), [("OOMKilled", "OutOfMemory"), ("Error", "ExitCode"), (None, "ExitCode")]
    )
    def test_restarting_container(self, reason: str | None, cause: str) -> None:
        """The last termination is the cause, not the back-off."""
        status = waiting("CrashLoopBackOff", "back-off 5m0s")
        end = Terminated(exit_code=7, reason=reason, finished_at=minutes_ago(1))
        status.container_statuses[0].last_state = ContainerState(terminated=end)

        finding = waiting_cause(status)

        assert (finding.cause, finding.field_path, finding.since) == (
            cause,
            f"{MAIN}.lastState.terminated",
            minutes_ago(1),
        )
        assert finding.message == "The container ended with exit code 7."

    @pytest.mark.parametrize("reason", ["FailedMount", "FailedAttachVolume"])
    def test_volume_that_cannot_be_mounted(self, reason: str) -> None:
        """The status shows only ContainerCreating; the cause is in the events."""
        events = [about_pod(reason, "old", first_timestamp=minutes_ago(5), last_timestamp=minutes_ago(4))]
        events += [about_pod(reason, "new", first_timestamp=minutes_ago(3))]

        finding = waiting_cause(waiting("ContainerCreating"), *events)

        assert finding == Finding("VolumeUnavailable", POD, f"event {reason}", "new", minutes_ago(5))

    @pytest.mark.parametrize(
        ("phase", "status", "reason"),
        [
            ("Pending", waiting("ContainerCreating"), "Scheduled"),
            ("Pending", PodStatus(), "Scheduled"),
            ("Running", running(), "FailedMount"),
        ],
    )
    def test_starting_or_running(self, phase: str, status: PodStatus, reason: str) -> None:
        """A pod that is starting normally, or running after a failed mount, has no finding."""
        assert active_pod_finding(job(), pod(phase, status=status), [about_pod(reason, "")]) is None


class TestFailure:
    """Tests of failed pods."""

    @pytest.mark.parametrize(
        ("reason", "cause"),
        [
            ("OOMKilled", "OutOfMemory"),
            ("Error", "ExitCode"),
            ("SomethingNew", "ExitCode"),
            ("ContainerCannotRun", "CannotStart"),
            ("ContainerStatusUnknown", "NodeLost"),
        ],
    )
    def test_cause_from_the_container(self, reason: str, cause: str) -> None:
        """The finding has the exit code and the time of the termination."""
        status = exited(9, reason)
        status.container_statuses[0].state.terminated = Terminated(
            exit_code=9, reason=reason, finished_at=minutes_ago(1)
        )

        finding = failed_pod_finding(job(), pod("Failed", status=status))

        expected = "The container ended with exit code 9."
        assert finding == Finding(cause, POD, f"{MAIN}.state.terminated", expected, minutes_ago(1))  # type: ignore[arg-type] # a Cause

    @pytest.mark.parametrize(("reason", "included"), [("StartError", True), ("Error", False)])
    def test_message_of_the_runtime(self, reason: str, included: bool) -> None:
        """The message is included only if no program ran, since a program may have written a secret."""
        status = exited(128, reason)
        status.container_statuses[0].state.terminated = Terminated(exit_code=128, reason=reason, message="no such file")

        finding = failed_pod_finding(job(), pod("Failed", status=status))

        assert finding is not None
        assert ("no such file" in finding.message) is included

    @pytest.mark.parametrize(
        ("reason", "cause"),
        [
            ("Evicted", "Evicted"),
            ("NodeLost", "NodeLost"),
            ("NodeShutdown", "NodeLost"),
            ("UnexpectedAdmissionError", "UnschedulableResources"),
            ("OutOfnvidia.com/gpu", "UnschedulableResources"),
            ("SomethingNew", "Unknown"),
        ],
    )
    def test_cause_from_the_pod(self, reason: str, cause: str) -> None:
        """The reason of the pod takes precedence over that of its container."""
        status = exited(137)
        status.reason, status.message = reason, "why"

        finding = failed_pod_finding(job(), pod("Failed", status=status))

        assert finding is not None
        assert (finding.cause, finding.field_path, finding.message) == (cause, "status.reason", "why")

    @pytest.mark.parametrize(
        ("reason", "cause"),
        [
            ("PreemptionByScheduler", "Preempted"),
            ("DeletionByTaintManager", "NodeLost"),
            ("EvictionByEvictionAPI", "Evicted"),
        ],
    )
    def test_disruption_takes_precedence(self, reason: str, cause: str) -> None:
        """A disrupted pod did not fail by itself, whatever its exit code."""
        finding = failed_pod_finding(job(), pod("Failed", status=disrupted(reason)))

        assert finding == Finding(cause, POD, "status.conditions[DisruptionTarget]", "why", NOW)  # type: ignore[arg-type] # a Cause

    @pytest.mark.parametrize(
        "status", [disrupted("PreemptionByScheduler", "False"), disrupted("New"), exited(0), PodStatus()]
    )
    def test_no_known_cause(self, status: PodStatus) -> None:
        """A pod whose status shows no failure has no finding."""
        assert failed_pod_finding(job(), pod("Failed", status=status)) is None


@given(objects(Pod), st.lists(objects(Event), max_size=2))
def test_any_pod(subject: Pod, events: list[Event]) -> None:
    """Any fields of the pod and its events can be missing or contain any value."""
    for finding in (active_pod_finding(job(), subject, events), failed_pod_finding(job(), subject)):
        assert finding is None or finding.cause in EXPLANATIONS
        assert msgspec.json.encode(finding)
