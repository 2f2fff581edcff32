"""Why a Job is where it is."""

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


class TestWaitOf:
    """Why a pod does not start."""

    @pytest.mark.parametrize("reason", ["ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError", "New"])
    def test_container_waits(self, reason: str) -> None:
        """The container's reason, in the cluster's word, and its message."""
        assert StatusReason(reason, "why") == waiting_reason(pod("Pending", status=waiting(reason, "why")))

    @pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing", None, ""])
    def test_container_on_its_way_does_not(self, reason: str | None) -> None:
        """Creating takes a while and explains nothing."""
        assert waiting_reason(pod("Pending", status=waiting(reason))) is None

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (unscheduled(), StatusReason("Unschedulable", "0/3 nodes: no GPU")),
            (unscheduled(None, None), StatusReason("Unschedulable")),
        ],
    )
    def test_no_node_takes_it(self, status: PodStatus, expected: StatusReason) -> None:
        """The scheduler's reason and message: which resource is missing; without a word of its own, ours."""
        assert waiting_reason(pod("Pending", status=status)) == expected

    @pytest.mark.parametrize(
        ("kind", "status"), [("PodScheduled", "True"), ("PodScheduled", "Unknown"), ("Ready", "False")]
    )
    def test_other_conditions_are_no_wait(self, kind: str, status: str) -> None:
        """Only a scheduler that said no explains a pod that does not start."""
        found = pod("Pending", status=PodStatus(conditions=[Condition(type=kind, status=status, reason="X")]))

        assert waiting_reason(found) is None

    @pytest.mark.parametrize("found", [Pod(), pod("Running"), pod("Failed", status=exited(1))])
    def test_pod_that_waits_for_nothing(self, found: Pod) -> None:
        """No reason is invented."""
        assert waiting_reason(found) is None

    def test_second_container_may_wait(self) -> None:
        """Containers that an admission hook added count too."""
        status = exited(0)
        status.container_statuses += waiting("ImagePullBackOff").container_statuses

        assert waiting_reason(pod("Pending", status=status)) == StatusReason("ImagePullBackOff")


class TestUnfinished:
    """Why a Job has not started."""

    def test_first_pod_that_waits_speaks(self) -> None:
        """One reason for the Job, even of many pods."""
        pods = [pod("Running"), pod("Pending", status=unscheduled()), pod("Pending", status=waiting("ErrImagePull"))]

        assert reason_of(job(), pods) == StatusReason("Unschedulable", "0/3 nodes: no GPU")

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            pytest.param(JobStatus(), None, id="not yet seen by its controller"),
            pytest.param(JobStatus(start_time=STARTED, active=1), None, id="pods on their way"),
            pytest.param(JobStatus(start_time=STARTED, active=1, failed=1), None, id="next attempt runs"),
            pytest.param(JobStatus(failed=1), None, id="failed but not started"),
            pytest.param(JobStatus(start_time=STARTED, succeeded=1), None, id="between two completions"),
            pytest.param(JobStatus(start_time=STARTED, failed=1), RETRYING, id="between two attempts"),
            pytest.param(JobStatus(start_time=STARTED, failed=1, succeeded=1), RETRYING, id="of the next completion"),
            pytest.param(
                JobStatus(start_time=STARTED, active=0),
                StatusReason(
                    "PodsNotCreated", "The cluster could not create the Job's pods, often because of a quota."
                ),
                id="no pods come",
            ),
        ],
    )
    def test_without_pods_the_jobs_own_counts_speak(self, status: JobStatus, expected: StatusReason | None) -> None:
        """A Job whose pods cannot be made has no pod to ask."""
        assert expected == reason_of(job(status=status), [])

    def test_half_made_job_says_how_it_goes_on(self) -> None:
        """A multi-node Job without its Service, whose submission was cut off."""
        found = job(spec=JobSpec(suspend=True), annotations={INCOMPLETE_ANNOTATION: ""})

        reason = reason_of(found, ())

        assert reason is not None
        assert (reason.reason, "same request" in reason.message) == ("Incomplete", True)

    @pytest.mark.parametrize(
        ("suspend", "active", "pods"),
        [pytest.param(True, 0, [], id="it is where it was put"), pytest.param(False, 1, [pod("Running")], id="runs")],
    )
    def test_nothing_to_explain(self, suspend: bool, active: int, pods: list[Pod]) -> None:
        """As most Jobs most of the time."""
        found = job(spec=JobSpec(suspend=suspend), status=JobStatus(start_time=STARTED, active=active))

        assert reason_of(found, pods) is None

    def test_between_two_attempts_the_last_failure_speaks(self) -> None:
        """The user sees at once that the next attempt will fail too."""
        found = job(status=JobStatus(start_time=STARTED, failed=1))

        reason = reason_of(found, [pod("Failed", status=exited(137, "OOMKilled"))])

        assert StatusReason("OOMKilled", "The container ended with exit code 137.") == reason


class TestFinished:
    """How a Job ended badly."""

    def test_success_needs_no_reason(self) -> None:
        """Not even when a pod failed on the way."""
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
    def test_condition_speaks_without_pods(
        self, reason: str | None, message: str | None, expected: StatusReason
    ) -> None:
        """In a list the pods of finished Jobs are not asked for."""
        assert expected == reason_of(job(status=ended("Failed", reason, message)), [])

    @pytest.mark.parametrize(
        ("condition", "status", "expected"),
        [
            pytest.param("X", exited(137, "OOMKilled"), StatusReason("OOMKilled", CODE.format(137)), id="helps more"),
            pytest.param(
                "DeadlineExceeded", exited(143), StatusReason("DeadlineExceeded", "m"), id="killed by the deadline"
            ),
            pytest.param("X", EVICTED, StatusReason("Evicted", "low on memory"), id="the pod's own reason"),
            pytest.param("X", SECOND_FAILED, StatusReason("Error", CODE.format(3)), id="first container that failed"),
        ],
    )
    def test_pods_own_end_says_more(self, condition: str, status: PodStatus, expected: StatusReason) -> None:
        """`OOMKilled` helps, `BackoffLimitExceeded` does not; but whoever was killed by a deadline has no news."""
        found = job(status=ended("Failed", condition, "m"))

        assert reason_of(found, [pod("Failed", status=status)]) == expected

    @pytest.mark.parametrize("backwards", [False, True])
    def test_last_pod_speaks(self, *, backwards: bool) -> None:
        """In whatever order the cluster lists them."""
        pods = [
            pod("Failed", creation_timestamp=minutes_ago(9), status=exited(1)),
            pod("Failed", creation_timestamp=minutes_ago(1), status=exited(2)),
            pod("Succeeded", creation_timestamp=NOW, status=exited(3)),
        ]

        reason = reason_of(job(status=ended("Failed", "X")), pods[::-1] if backwards else pods)

        assert StatusReason("Error", "The container ended with exit code 2.") == reason

    @pytest.mark.parametrize(
        "status",
        [
            pytest.param(PodStatus(), id="nothing known"),
            pytest.param(exited(0), id="ended well"),
            pytest.param(exited(None), id="no exit code"),
            pytest.param(waiting("ContainerCreating"), id="never started"),
        ],
    )
    def test_pod_that_does_not_say_leaves_it_to_the_job(self, status: PodStatus) -> None:
        """Only an exit code other than 0 explains a failure."""
        assert reason_of(job(status=ended("Failed", "X", "y")), [pod("Failed", status=status)]) == StatusReason(
            "X", "y"
        )

    def test_end_of_the_log_is_not_shown(self) -> None:
        """A container's last words may be anything, also a secret; whoever may read the log reads them there."""
        terminated = {"exitCode": 1, "reason": "Error", "message": CANARY}
        status = msgspec.convert({"containerStatuses": [{"state": {"terminated": terminated}}]}, PodStatus)

        reason = reason_of(job(status=ended("Failed", "X")), [pod("Failed", status=status)])

        assert CANARY not in repr(reason)


class TestMessage:
    """What the cluster says."""

    def test_it_is_bounded(self) -> None:
        """A list of 500 Jobs stays an answer that Lambda can give."""
        reason = waiting_reason(pod("Pending", status=waiting("X", "x" * 5000)))

        assert reason is not None
        assert len(reason.message) == MAX_MESSAGE == 1024
