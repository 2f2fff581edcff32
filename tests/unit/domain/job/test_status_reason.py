"""Tests of the reason for a Job's status."""

from __future__ import annotations

import msgspec
import pytest

from chalicelib.domain.job.status_reason import MAX_MESSAGE, StatusReason, reason_of, waiting_reason
from chalicelib.domain.kubernetes.jobs import Condition, JobSpec, JobStatus
from chalicelib.domain.kubernetes.pods import Pod, PodStatus
from chalicelib.domain.labels import INCOMPLETE_ANNOTATION
from tests.support.builders import NOW, ended, exited, job, minutes_ago, pod, unscheduled, waiting

STARTED = minutes_ago(5)
CANARY = "the log's last line, with a token"
RETRYING = StatusReason("Retrying", "The last pod failed; the next one starts after a delay.")
CODE = "The container ended with exit code {}."
EVICTED, SECOND_FAILED = exited(137, "OOMKilled"), exited(0)
EVICTED.reason, EVICTED.message = "Evicted", "low on memory"
SECOND_FAILED.container_statuses += exited(3, None).container_statuses


class TestWaitingReason:
    """Tests of waiting_reason."""

    @pytest.mark.parametrize("reason", ["ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError", "New"])
    def test_container_waits(self, reason: str) -> None:
        """The reason and the message are those of the container."""
        assert StatusReason(reason, "why") == waiting_reason(pod("Pending", status=waiting(reason, "why")))

    @pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing", None, ""])
    def test_container_is_created(self, reason: str | None) -> None:
        """A container that is being created has no waiting reason."""
        assert waiting_reason(pod("Pending", status=waiting(reason))) is None

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (unscheduled(), StatusReason("Unschedulable", "0/3 nodes: no GPU")),
            (unscheduled(None, None), StatusReason("Unschedulable")),
        ],
    )
    def test_unschedulable(self, status: PodStatus, expected: StatusReason) -> None:
        """The reason and the message are those of the scheduler; the default reason is Unschedulable."""
        assert waiting_reason(pod("Pending", status=status)) == expected

    @pytest.mark.parametrize(
        ("kind", "status"), [("PodScheduled", "True"), ("PodScheduled", "Unknown"), ("Ready", "False")]
    )
    def test_other_conditions(self, kind: str, status: str) -> None:
        """Only the condition PodScheduled with the status False is a waiting reason."""
        subject = pod("Pending", status=PodStatus(conditions=[Condition(type=kind, status=status, reason="X")]))

        assert waiting_reason(subject) is None

    @pytest.mark.parametrize("subject", [Pod(), pod("Running"), pod("Failed", status=exited(1))])
    def test_pod_that_is_not_waiting(self, subject: Pod) -> None:
        """A pod without details, running or failed has no waiting reason."""
        assert waiting_reason(subject) is None

    def test_second_container(self) -> None:
        """Containers that an admission webhook added are checked, too."""
        status = exited(0)
        status.container_statuses += waiting("ImagePullBackOff").container_statuses

        assert waiting_reason(pod("Pending", status=status)) == StatusReason("ImagePullBackOff")


class TestUnfinished:
    """Tests of the reason of an unfinished Job."""

    def test_first_waiting_pod(self) -> None:
        """The reason of the Job is that of its first waiting pod."""
        pods = [pod("Running"), pod("Pending", status=unscheduled()), pod("Pending", status=waiting("ErrImagePull"))]

        assert reason_of(job(), pods) == StatusReason("Unschedulable", "0/3 nodes: no GPU")

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            pytest.param(JobStatus(), None, id="not started"),
            pytest.param(JobStatus(start_time=STARTED, active=1), None, id="pods starting"),
            pytest.param(JobStatus(start_time=STARTED, active=1, failed=1), None, id="next attempt active"),
            pytest.param(JobStatus(failed=1), None, id="failed but not started"),
            pytest.param(JobStatus(start_time=STARTED, succeeded=1), None, id="between two completions"),
            pytest.param(JobStatus(start_time=STARTED, failed=1), RETRYING, id="between two attempts"),
            pytest.param(JobStatus(start_time=STARTED, failed=1, succeeded=1), RETRYING, id="of the next completion"),
            pytest.param(
                JobStatus(start_time=STARTED, active=0),
                StatusReason(
                    "PodsNotCreated", "The cluster could not create the Job's pods, often because of a quota."
                ),
                id="no pods",
            ),
        ],
    )
    def test_without_pods(self, status: JobStatus, expected: StatusReason | None) -> None:
        """Without pods, the reason depends on the counters in the status of the Job."""
        assert expected == reason_of(job(status=status), [])

    def test_incomplete_job(self) -> None:
        """The message of a multi-node Job without its Service explains how to complete it."""
        subject = job(spec=JobSpec(suspend=True), annotations={INCOMPLETE_ANNOTATION: ""})

        reason = reason_of(subject, ())

        assert reason is not None
        assert (reason.reason, "same request" in reason.message) == ("Incomplete", True)

    @pytest.mark.parametrize(
        ("suspend", "active", "pods"),
        [pytest.param(True, 0, [], id="suspended"), pytest.param(False, 1, [pod("Running")], id="running")],
    )
    def test_nothing_to_explain(self, suspend: bool, active: int, pods: list[Pod]) -> None:
        """A suspended or running Job has no reason."""
        subject = job(spec=JobSpec(suspend=suspend), status=JobStatus(start_time=STARTED, active=active))

        assert reason_of(subject, pods) is None

    def test_last_failure_between_two_attempts(self) -> None:
        """Between two attempts, the reason is that of the last failed pod."""
        subject = job(status=JobStatus(start_time=STARTED, failed=1))

        reason = reason_of(subject, [pod("Failed", status=exited(137, "OOMKilled"))])

        assert StatusReason("OOMKilled", "The container ended with exit code 137.") == reason


class TestFinished:
    """Tests of the reason of a finished Job."""

    def test_succeeded(self) -> None:
        """A succeeded Job has no reason, even if a pod failed."""
        assert reason_of(job(status=ended("Complete", "X", "y")), [pod("Failed", status=exited(1))]) is None

    @pytest.mark.parametrize(
        ("reason", "message", "expected"),
        [
            ("BackoffLimitExceeded", "too often", StatusReason("BackoffLimitExceeded", "too often")),
            ("PodFailurePolicy", None, StatusReason("PodFailurePolicy")),
            (None, None, StatusReason("Failed")),
            ("", "", StatusReason("Failed")),
        ],
    )
    def test_failed_without_pods(self, reason: str | None, message: str | None, expected: StatusReason) -> None:
        """Without pods, as in lists, the reason is that of the condition."""
        assert expected == reason_of(job(status=ended("Failed", reason, message)), [])

    @pytest.mark.parametrize(
        ("condition", "status", "expected"),
        [
            pytest.param(
                "X", exited(137, "OOMKilled"), StatusReason("OOMKilled", CODE.format(137)), id="the container's reason"
            ),
            pytest.param(
                "DeadlineExceeded", exited(143), StatusReason("DeadlineExceeded", "m"), id="killed by the deadline"
            ),
            pytest.param("X", EVICTED, StatusReason("Evicted", "low on memory"), id="the pod's own reason"),
            pytest.param("X", SECOND_FAILED, StatusReason("Error", CODE.format(3)), id="first container that failed"),
        ],
    )
    def test_failed_pod_takes_precedence(self, condition: str, status: PodStatus, expected: StatusReason) -> None:
        """The reason of a pod takes precedence over that of the Job, except for DeadlineExceeded."""
        subject = job(status=ended("Failed", condition, "m"))

        assert reason_of(subject, [pod("Failed", status=status)]) == expected

    @pytest.mark.parametrize("reverse", [False, True])
    def test_last_failed_pod(self, *, reverse: bool) -> None:
        """The order in which the cluster lists the pods does not matter."""
        pods = [
            pod("Failed", creation_timestamp=minutes_ago(9), status=exited(1)),
            pod("Failed", creation_timestamp=minutes_ago(1), status=exited(2)),
            pod("Succeeded", creation_timestamp=NOW, status=exited(3)),
        ]

        reason = reason_of(job(status=ended("Failed", "X")), pods[::-1] if reverse else pods)

        assert StatusReason("Error", "The container ended with exit code 2.") == reason

    @pytest.mark.parametrize(
        "status",
        [
            pytest.param(PodStatus(), id="no status"),
            pytest.param(exited(0), id="exit code 0"),
            pytest.param(exited(None), id="no exit code"),
            pytest.param(waiting("ContainerCreating"), id="never started"),
        ],
    )
    def test_pod_without_a_cause(self, status: PodStatus) -> None:
        """If the pod shows no cause, the reason is that of the Job."""
        assert reason_of(job(status=ended("Failed", "X", "y")), [pod("Failed", status=status)]) == StatusReason(
            "X", "y"
        )

    def test_termination_message_is_not_returned(self) -> None:
        """The termination message may be the end of the log and contain a secret."""
        terminated = {"exitCode": 1, "reason": "Error", "message": CANARY}
        status = msgspec.convert({"containerStatuses": [{"state": {"terminated": terminated}}]}, PodStatus)

        reason = reason_of(job(status=ended("Failed", "X")), [pod("Failed", status=status)])

        assert CANARY not in repr(reason)


class TestMessage:
    """Tests of the message."""

    def test_length_is_limited(self) -> None:
        """A list of 500 Jobs fits into a response of Lambda."""
        reason = waiting_reason(pod("Pending", status=waiting("X", "x" * 5000)))

        assert reason is not None
        assert len(reason.message) == MAX_MESSAGE == 1024
