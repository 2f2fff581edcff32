"""What a pod shows of its Job's trouble."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.diagnosis.causes import REMEDIES, Finding
from chalicelib.domain.diagnosis.pod_causes import failure_finding, waiting_finding
from chalicelib.domain.job.event_list import ObjectName
from chalicelib.domain.kubernetes.events import Event
from chalicelib.domain.kubernetes.jobs import Condition
from chalicelib.domain.kubernetes.pods import ContainerState, Pod, PodStatus, Terminated
from tests.support.builders import NOW, event, exited, minutes_ago, pod, running, unscheduled, waiting
from tests.support.kubernetes_objects import objects

POD = ObjectName("Pod", "train-1-abcde")
MAIN = "status.containerStatuses[main]"


def waits(status: PodStatus, *events: Event) -> Finding:
    """Why the pod with *status* waits."""
    found = waiting_finding(pod("Pending", status=status), events)
    assert found is not None
    return found


def about_pod(reason: str, message: str, **fields: Any) -> Event:  # noqa: ANN401 - whatever a field holds
    """An event about the pod of these tests."""
    return event(reason, message, about=pod().metadata, **fields)


def disrupted(reason: str, holds: str = "True") -> PodStatus:
    """The status of a pod that somebody ended."""
    condition = Condition(type="DisruptionTarget", status=holds, reason=reason, message="why", last_transition_time=NOW)
    return PodStatus(conditions=[condition])


class TestImage:
    """An image that cannot be had."""

    @pytest.mark.parametrize(
        ("message", "cause"),
        [
            ("registry/x:1: not found", "ImageNotFound"),
            ("manifest unknown", "ImageNotFound"),
            ("unexpected status from HEAD request to https://x/: 404", "ImageNotFound"),
            ("unexpected status: 401 Unauthorized", "ImageUnauthorized"),
            ("no basic auth credentials", "ImageUnauthorized"),
            ("pull access denied, repository does not exist or may require authorization", "ImageUnauthorized"),
            ("dial tcp 192.0.2.1:443: i/o timeout", "ImageUnavailable"),
            ("", "ImageUnavailable"),
        ],
    )
    @pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff"])
    def test_registrys_words_tell(self, reason: str, message: str, cause: str) -> None:
        """Whether it is not there, not for us, or out of reach."""
        found = waits(waiting(reason, message))

        assert (found.cause, found.field_path, found.message) == (cause, f"{MAIN}.state.waiting", message or reason)

    def test_event_tells_where_the_container_does_not(self) -> None:
        """As with kubelets that say `Back-off pulling image` and no more."""
        other = event("Failed", "unauthorized", about=pod(name="another").metadata)

        found = waits(waiting("ImagePullBackOff", "Back-off"), other, about_pod("Failed", "x:1: not found"))

        assert (found.cause, found.message) == ("ImageNotFound", "x:1: not found")


class TestNode:
    """No node takes the pod."""

    @pytest.mark.parametrize(
        ("message", "cause"),
        [
            ("0/4 nodes are available: 4 Insufficient nvidia.com/gpu.", "UnschedulableResources"),
            ("0/4 nodes are available: 4 Too many pods.", "UnschedulableResources"),
            ("0/4 nodes are available: 1 Insufficient cpu, 3 had untolerated taint(s).", "UnschedulableResources"),
            ("0/1 nodes are available: 1 node(s) were unschedulable.", "UnschedulableTaint"),
            ("4 nodes: 1 had untolerated taint(s), 3 didn't match Pod's node affinity/selector.", "UnschedulableTaint"),
            ("0/4 nodes are available: 4 node(s) didn't match Pod's node affinity/selector.", "UnschedulableSelector"),
            ('0/1 nodes are available: persistentvolumeclaim "x" not found. not found', "VolumeUnavailable"),
            ("0/4 nodes are available: 4 node(s) had volume node affinity conflict.", "VolumeUnavailable"),
            ("0/4 nodes are available: 4 node(s) didn't match pod anti-affinity rules.", "Unknown"),
            ("4 node(s) x. preemption: 0/4 nodes are available: 4 Insufficient cpu.", "Unknown"),
        ],
    )
    def test_schedulers_words_tell(self, message: str, cause: str) -> None:
        """A node that lacks nothing but room is the one to wait for; then one that is kept for others."""
        found = waits(unscheduled(message=message))

        assert (found.cause, found.field_path) == (cause, "status.conditions[PodScheduled]")

    def test_since_the_scheduler_said_so(self) -> None:
        """Not since the pod was made."""
        status = unscheduled(message="Insufficient cpu")
        status.conditions[0].last_transition_time = minutes_ago(3)

        assert waits(status).since == minutes_ago(3)

    def test_held_by_a_queue(self) -> None:
        """A gate is the queue's."""
        assert waits(unscheduled("SchedulingGated", "gated")).cause == "QueueWaiting"


class TestContainer:
    """A container that does not start."""

    @pytest.mark.parametrize(
        ("reason", "cause"),
        [
            ("CreateContainerConfigError", "ConfigMissing"),
            ("CreateContainerError", "CannotStart"),
            ("RunContainerError", "CannotStart"),
            ("InvalidImageName", "ImageNotFound"),
            ("ErrImageNeverPull", "ImageNotFound"),
            ("CrashLoopBackOff", "ExitCode"),
            ("SomethingNew", "Unknown"),
        ],
    )
    def test_word_tells(self, reason: str, cause: str) -> None:
        """With the cluster's message, since the pod came to its node."""
        status = waiting(reason, "why")
        status.start_time = minutes_ago(2)

        assert waits(status) == Finding(cause, POD, f"{MAIN}.state.waiting", "why", minutes_ago(2))  # type: ignore[arg-type] # a Cause

    @pytest.mark.parametrize(
        ("reason", "cause"), [("OOMKilled", "OutOfMemory"), ("Error", "ExitCode"), (None, "ExitCode")]
    )
    def test_started_again_and_again(self, reason: str | None, cause: str) -> None:
        """How it ended the last time tells, not that it waits."""
        status = waiting("CrashLoopBackOff", "back-off 5m0s")
        end = Terminated(exit_code=7, reason=reason, finished_at=minutes_ago(1))
        status.container_statuses[0].last_state = ContainerState(terminated=end)

        found = waits(status)

        assert (found.cause, found.field_path, found.since) == (cause, f"{MAIN}.lastState.terminated", minutes_ago(1))
        assert found.message == "The container ended with exit code 7."

    @pytest.mark.parametrize("reason", ["FailedMount", "FailedAttachVolume"])
    def test_volume_that_does_not_come(self, reason: str) -> None:
        """The container says that it is on its way; events know better."""
        told = [about_pod(reason, "old", first_timestamp=minutes_ago(5), last_timestamp=minutes_ago(4))]
        told += [about_pod(reason, "new", first_timestamp=minutes_ago(3))]

        found = waits(waiting("ContainerCreating"), *told)

        assert found == Finding("VolumeUnavailable", POD, f"event {reason}", "new", minutes_ago(5))

    @pytest.mark.parametrize(
        ("phase", "status", "told"),
        [
            ("Pending", waiting("ContainerCreating"), "Scheduled"),
            ("Pending", PodStatus(), "Scheduled"),
            ("Running", running(), "FailedMount"),
        ],
    )
    def test_on_its_way(self, phase: str, status: PodStatus, told: str) -> None:
        """Nothing to find; a pod that runs has what it needs, though its volume came late."""
        assert waiting_finding(pod(phase, status=status), [about_pod(told, "")]) is None


class TestEnd:
    """How a pod ended badly."""

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
    def test_containers_word_tells(self, reason: str, cause: str) -> None:
        """With its exit code, and when."""
        status = exited(9, reason)
        status.container_statuses[0].state.terminated = Terminated(
            exit_code=9, reason=reason, finished_at=minutes_ago(1)
        )

        found = failure_finding(pod("Failed", status=status))

        expected = "The container ended with exit code 9."
        assert found == Finding(cause, POD, f"{MAIN}.state.terminated", expected, minutes_ago(1))  # type: ignore[arg-type] # a Cause

    @pytest.mark.parametrize(("reason", "told"), [("StartError", True), ("Error", False)])
    def test_runtimes_message_is_told_where_no_program_ran(self, reason: str, told: bool) -> None:
        """What a program wrote may be anything; what could not be started wrote nothing."""
        status = exited(128, reason)
        status.container_statuses[0].state.terminated = Terminated(exit_code=128, reason=reason, message="no such file")

        found = failure_finding(pod("Failed", status=status))

        assert found is not None
        assert ("no such file" in found.message) is told

    @pytest.mark.parametrize(
        ("reason", "cause"),
        [
            ("Evicted", "Evicted"),
            ("NodeLost", "NodeLost"),
            ("NodeShutdown", "NodeLost"),
            ("UnexpectedAdmissionError", "Unknown"),
        ],
    )
    def test_pods_word_tells(self, reason: str, cause: str) -> None:
        """Whatever its container says."""
        status = exited(137)
        status.reason, status.message = reason, "why"

        found = failure_finding(pod("Failed", status=status))

        assert found is not None
        assert (found.cause, found.field_path, found.message) == (cause, "status.reason", "why")

    @pytest.mark.parametrize(
        ("reason", "cause"),
        [
            ("PreemptionByScheduler", "Preempted"),
            ("DeletionByTaintManager", "NodeLost"),
            ("EvictionByEvictionAPI", "Evicted"),
        ],
    )
    def test_disruption_tells_first(self, reason: str, cause: str) -> None:
        """A pod that was made to end did nothing wrong, whatever its exit code."""
        found = failure_finding(pod("Failed", status=disrupted(reason)))

        assert found == Finding(cause, POD, "status.conditions[DisruptionTarget]", "why", NOW)  # type: ignore[arg-type] # a Cause

    @pytest.mark.parametrize(
        "status", [disrupted("PreemptionByScheduler", "False"), disrupted("New"), exited(0), PodStatus()]
    )
    def test_nothing_told(self, status: PodStatus) -> None:
        """Nothing is invented."""
        assert failure_finding(pod("Failed", status=status)) is None


@given(objects(Pod), st.lists(objects(Event), max_size=2))
def test_any_pod(found: Pod, events: list[Event]) -> None:
    """Whatever stands in its fields, or does not."""
    for finding in (waiting_finding(found, events), failure_finding(found)):
        assert finding is None or finding.cause in REMEDIES
        assert msgspec.json.encode(finding)
