"""Tests of the reasons why a pod is waiting or how it ended."""

from __future__ import annotations

import pytest

from chalicelib.domain.job.status_reason import (
    MAX_MESSAGE,
    StatusReason,
    disruption,
    failed_container_name,
    failure_reason,
    first_failure,
    pod_failure,
    termination_reason,
    waiting_reason,
)
from chalicelib.domain.kubernetes.jobs import Condition, Job
from chalicelib.domain.kubernetes.pods import ContainerState, ContainerStatus, Pod, PodStatus, Terminated
from tests.support.builders import (
    disrupted,
    ended,
    exited,
    job,
    minutes_ago,
    pod,
    running,
    unscheduled,
    waiting,
)

CANARY = "the log's last line, with a token"
CODE = "The container ended with exit code {}."
EVICTED, SECOND_FAILED = exited(137, "OOMKilled"), exited(0)
EVICTED.reason, EVICTED.message = "Evicted", "low on memory"
SECOND_FAILED.container_statuses.append(
    ContainerStatus(name="agent", state=ContainerState(terminated=Terminated(exit_code=3)))
)
INIT_FAILED = waiting("PodInitializing")
INIT_FAILED.init_container_statuses = [
    ContainerStatus(name="fetch", state=ContainerState(terminated=Terminated(exit_code=2)))
]


class TestWaitingReason:
    """Tests of waiting_reason."""

    @pytest.mark.parametrize("reason", ["ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError", "New"])
    def test_container_waits(self, reason: str) -> None:
        """The reason and the message are those of the container."""
        assert StatusReason(reason, "why") == waiting_reason(job(), pod("Pending", status=waiting(reason, "why")))

    @pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing", None, ""])
    def test_container_is_created(self, reason: str | None) -> None:
        """A container that is being created has no waiting reason."""
        assert waiting_reason(job(), pod("Pending", status=waiting(reason))) is None

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (unscheduled(), StatusReason("Unschedulable", "0/3 nodes: no GPU")),
            (unscheduled(None, None), StatusReason("Unschedulable")),
        ],
    )
    def test_unschedulable(self, status: PodStatus, expected: StatusReason) -> None:
        """The reason and the message are those of the scheduler; the default reason is Unschedulable."""
        assert waiting_reason(job(), pod("Pending", status=status)) == expected

    @pytest.mark.parametrize(
        ("kind", "status"), [("PodScheduled", "True"), ("PodScheduled", "Unknown"), ("Ready", "False")]
    )
    def test_other_conditions(self, kind: str, status: str) -> None:
        """Only the condition PodScheduled with the status False is a waiting reason."""
        subject = pod("Pending", status=PodStatus(conditions=[Condition(type=kind, status=status, reason="X")]))

        assert waiting_reason(job(), subject) is None

    @pytest.mark.parametrize("subject", [Pod(), pod("Running"), pod("Failed", status=waiting("ErrImagePull"))])
    def test_pod_that_is_not_waiting(self, subject: Pod) -> None:
        """A pod without details, running or failed has no waiting reason."""
        assert waiting_reason(job(), subject) is None

    def test_second_container(self) -> None:
        """Containers that an admission webhook added are checked, too."""
        status = waiting("ContainerCreating")
        status.container_statuses += waiting("ImagePullBackOff").container_statuses
        status.container_statuses[1].name = "agent"

        assert waiting_reason(job(), pod("Pending", status=status)) == StatusReason("ImagePullBackOff")


class TestDisruption:
    """Tests of disruption."""

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (disrupted("PreemptionByScheduler"), "Preempted"),
            (disrupted("DeletionByPodGC"), "NodeLost"),
            (disrupted("EvictionByEvictionAPI"), "Evicted"),
            (disrupted("PreemptionByScheduler", "False"), None),
            (disrupted("New"), None),
            (PodStatus(), None),
        ],
    )
    def test_reason(self, status: PodStatus, expected: str | None) -> None:
        """Only a condition that is true and whose reason is known disrupts a pod."""
        assert disruption(pod(status=status)) == (expected and StatusReason(expected, "why"))


class TestTerminationReason:
    """Tests of termination_reason."""

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (exited(137, "OOMKilled"), StatusReason("OOMKilled", CODE.format(137))),
            (exited(9, None), StatusReason("Error", CODE.format(9))),
            (EVICTED, StatusReason("Evicted", "low on memory")),
            (SECOND_FAILED, StatusReason("Error", "The container agent ended with exit code 3.")),
            (INIT_FAILED, StatusReason("Error", "The container fetch ended with exit code 2.")),
            (disrupted("DeletionByTaintManager"), StatusReason("NodeLost", "why")),
            (PodStatus(), None),
            (exited(0), None),
            (exited(None), None),
            (waiting("ContainerCreating"), None),
        ],
    )
    def test_reason(self, status: PodStatus, expected: StatusReason | None) -> None:
        """The pod's own reason is preferred, then its disruption, then the main container, then others."""
        assert termination_reason(job(), pod("Failed", status=status)) == expected

    def test_termination_message_is_not_returned(self) -> None:
        """The termination message may be the end of the log and contain a secret."""
        status = exited(1)
        status.container_statuses[0].state.terminated = Terminated(exit_code=1, reason="Error", message=CANARY)

        assert CANARY not in repr(termination_reason(job(), pod("Failed", status=status)))

    def test_failed_container_name(self) -> None:
        """The name is that of the container whose log explains the failure."""
        names = [failed_container_name(job(), pod(status=each)) for each in (exited(1), SECOND_FAILED, exited(0))]

        assert names == ["main", "agent", None]


def failed(name: str, code: int, *, created: float = 9, ended: float = 5) -> Pod:
    """Return a pod that was *created* and *ended* this many minutes before NOW."""
    return pod("Failed", name=name, creation_timestamp=minutes_ago(created), status=exited(code, at=minutes_ago(ended)))


NOT_READY = PodStatus(conditions=[Condition(type="Ready", status="False", last_transition_time=minutes_ago(7))])
POLICY = "Container main for pod researcher-team-a/{} failed with exit code 42 matching FailJob rule at index 0"


class TestFirstFailure:
    """Tests of first_failure and pod_failure."""

    @pytest.mark.parametrize("reverse", [False, True])
    @pytest.mark.parametrize(
        ("pods", "expected"),
        [
            pytest.param([failed("a", 1, ended=5), failed("b", 1, ended=6)], "b", id="of two together the first"),
            pytest.param([failed("a", 1, ended=8), failed("b", 1, created=7)], "b", id="of two attempts the last"),
            pytest.param([failed("a", 1), pod("Failed", name="b", status=NOT_READY, creation_timestamp=minutes_ago(9))],
                         "b", id="a pod that became unready first"),
            pytest.param([failed("a", 1), pod("Succeeded", name="b")], "a", id="a succeeded pod does not count"),
            pytest.param([failed("a", 1), pod("Running", name="b", status=exited(2, at=minutes_ago(6)),
                          creation_timestamp=minutes_ago(9))], "b", id="a sidecar keeps the failed pod running"),
            pytest.param([Pod(), pod(status=running())], None, id="none failed"),
        ],
    )  # fmt: skip
    def test_explains_the_failure(self, pods: list[Pod], expected: str | None, *, reverse: bool) -> None:
        """Of the pods of the last attempt the one that failed first is the cause, in any order of the list."""
        found = first_failure(job(), pods[::-1] if reverse else pods)

        assert (found.metadata.name if found else None) == expected

    @pytest.mark.parametrize(("named", "expected"), [("late", StatusReason("Error", CODE.format(42))), ("gone", None)])
    @pytest.mark.parametrize("kind", ["Failed", "FailureTarget"])
    def test_pod_failure_policy(self, kind: str, named: str, expected: StatusReason | None) -> None:
        """The pod that the condition names is the cause, even if another failed before it, or if it is gone."""
        subject = job(status=ended(kind, "PodFailurePolicy", POLICY.format(named)))

        found = pod_failure(subject, [failed("early", 1, ended=8), failed("late", 42)])

        assert found == expected

    def test_no_failure(self) -> None:
        """Without failed pods there is none."""
        assert pod_failure(job(), [pod()]) is None


class TestFailureReason:
    """Tests of failure_reason."""

    @pytest.mark.parametrize(
        ("condition", "pods", "expected"),
        [
            ("X", [pod("Failed", status=exited(137, "OOMKilled"))], StatusReason("OOMKilled", CODE.format(137))),
            ("DeadlineExceeded", [pod("Failed", status=exited(143))], StatusReason("DeadlineExceeded", "m")),
            ("X", [pod("Failed", status=exited(0))], StatusReason("X", "m")),
            ("X", [], StatusReason("X", "m")),
            (None, [], StatusReason("Failed", "m")),
        ],
    )
    def test_pod_explains_more(self, condition: str | None, pods: list[Pod], expected: StatusReason) -> None:
        """The reason of a pod takes precedence over that of the Job, except for DeadlineExceeded."""
        subject: Job = job(status=ended("Failed", condition, "m"))
        assert subject.finished

        assert failure_reason(subject, subject.finished, pods) == expected


class TestMessage:
    """Tests of the message."""

    def test_length_is_limited(self) -> None:
        """A list of 500 Jobs fits into a response of Lambda."""
        reason = waiting_reason(job(), pod("Pending", status=waiting("X", "x" * 5000)))

        assert reason is not None
        assert len(reason.message) == MAX_MESSAGE == 1024
