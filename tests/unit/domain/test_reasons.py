"""Why a Job is where it is."""

from __future__ import annotations

import msgspec
import pytest

from chalicelib.domain.kubernetes import Condition, JobSpec, JobStatus
from chalicelib.domain.names import HALF_MADE
from chalicelib.domain.pods import Pod, PodStatus
from chalicelib.domain.reasons import MAX_MESSAGE, STARTING, Reason, reason_of, wait_of
from tests.builders import NOW, ended, exited, job, minutes_ago, pod, unscheduled, waiting

STARTED = minutes_ago(5)
CANARY = "the log's last line, with a token"


class TestWaitOf:
    """Why a pod does not start."""

    @pytest.mark.parametrize("reason", ["ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError", "New"])
    def test_container_waits(self, reason: str) -> None:
        """The container's reason, in the cluster's word, and its message."""
        assert Reason(reason, "why") == wait_of(pod("Pending", status=waiting(reason, "why")))

    @pytest.mark.parametrize("reason", [*sorted(STARTING), None, ""])
    def test_container_on_its_way_does_not(self, reason: str | None) -> None:
        """Creating takes a while and explains nothing."""
        assert wait_of(pod("Pending", status=waiting(reason))) is None

    def test_on_its_way_is_these_two(self) -> None:
        """Any other word of the cluster is trouble."""
        assert frozenset({"ContainerCreating", "PodInitializing"}) == STARTING

    def test_no_node_takes_it(self) -> None:
        """The scheduler's reason and message: which resource is missing."""
        assert wait_of(pod("Pending", status=unscheduled())) == Reason("Unschedulable", "0/3 nodes: no GPU")

    def test_scheduler_may_be_terse(self) -> None:
        """Without a word of its own, ours."""
        assert wait_of(pod("Pending", status=unscheduled(None, None))) == Reason("Unschedulable")

    @pytest.mark.parametrize(
        ("kind", "status"), [("PodScheduled", "True"), ("PodScheduled", "Unknown"), ("Ready", "False")]
    )
    def test_other_conditions_are_no_wait(self, kind: str, status: str) -> None:
        """Only a scheduler that said no explains a pod that does not start."""
        found = pod("Pending", status=PodStatus(conditions=[Condition(type=kind, status=status, reason="X")]))

        assert wait_of(found) is None

    @pytest.mark.parametrize("found", [Pod(), pod("Running"), pod("Failed", status=exited(1))])
    def test_pod_that_waits_for_nothing(self, found: Pod) -> None:
        """No reason is invented."""
        assert wait_of(found) is None

    def test_second_container_may_wait(self) -> None:
        """Containers that an admission hook added count too."""
        status = exited(0)
        status.container_statuses += waiting("ImagePullBackOff").container_statuses

        assert wait_of(pod("Pending", status=status)) == Reason("ImagePullBackOff")


class TestUnfinished:
    """Why a Job has not started."""

    def test_first_pod_that_waits_speaks(self) -> None:
        """One reason for the Job, even of many pods."""
        pods = [pod("Running"), pod("Pending", status=unscheduled()), pod("Pending", status=waiting("ErrImagePull"))]

        assert reason_of(job(), pods) == Reason("Unschedulable", "0/3 nodes: no GPU")

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            pytest.param(JobStatus(), None, id="not yet seen by its controller"),
            pytest.param(JobStatus(start_time=STARTED, active=1), None, id="pods on their way"),
            pytest.param(JobStatus(start_time=STARTED, active=1, failed=1), None, id="next attempt runs"),
            pytest.param(JobStatus(failed=1), None, id="failed but not started"),
            pytest.param(JobStatus(start_time=STARTED, succeeded=1), None, id="between two completions"),
            pytest.param(
                JobStatus(start_time=STARTED, failed=1),
                Reason("Retrying", "The last pod failed; the next one starts after a pause."),
                id="between two attempts",
            ),
            pytest.param(
                JobStatus(start_time=STARTED, failed=1, succeeded=1),
                Reason("Retrying", "The last pod failed; the next one starts after a pause."),
                id="between two attempts of the next completion",
            ),
            pytest.param(
                JobStatus(start_time=STARTED, active=0),
                Reason("PodsNotCreated", "The cluster could not create the Job's pods, often because of a quota."),
                id="no pods come",
            ),
        ],
    )
    def test_without_pods_the_jobs_own_counts_speak(self, status: JobStatus, expected: Reason | None) -> None:
        """A Job whose pods cannot be made has no pod to ask."""
        assert expected == reason_of(job(status=status), [])

    def test_half_made_job_says_how_it_goes_on(self) -> None:
        """A multi-node Job without its Service, whose submission was cut off."""
        found = job(spec=JobSpec(suspend=True), annotations={HALF_MADE: ""})

        reason = reason_of(found, ())

        assert reason is not None
        assert (reason.word, "same request" in reason.message) == ("HalfMade", True)

    def test_suspended_job_waits_for_nobody(self) -> None:
        """It is where it was put."""
        found = job(spec=JobSpec(suspend=True), status=JobStatus(start_time=STARTED))

        assert reason_of(found, []) is None

    def test_between_two_attempts_the_last_failure_speaks(self) -> None:
        """The user sees at once that the next attempt will fail too."""
        found = job(status=JobStatus(start_time=STARTED, failed=1))

        reason = reason_of(found, [pod("Failed", status=exited(137, "OOMKilled"))])

        assert Reason("OOMKilled", "The container ended with exit code 137.") == reason

    def test_pods_that_run_need_no_reason(self) -> None:
        """As most Jobs most of the time."""
        found = job(status=JobStatus(start_time=STARTED, active=1, ready=1))

        assert reason_of(found, [pod("Running")]) is None


class TestFinished:
    """How a Job ended badly."""

    def test_success_needs_no_reason(self) -> None:
        """Not even when a pod failed on the way."""
        assert reason_of(job(status=ended("Complete", "X", "y")), [pod("Failed", status=exited(1))]) is None

    @pytest.mark.parametrize(
        ("reason", "message", "expected"),
        [
            ("BackoffLimitExceeded", "too often", Reason("BackoffLimitExceeded", "too often")),
            ("PodFailurePolicy", None, Reason("PodFailurePolicy")),
            (None, None, Reason("Failed")),
            ("", "", Reason("Failed")),
        ],
    )
    def test_condition_speaks_without_pods(self, reason: str | None, message: str | None, expected: Reason) -> None:
        """In a list the pods of finished Jobs are not asked for."""
        assert expected == reason_of(job(status=ended("Failed", reason, message)), [])

    def test_pods_own_end_says_more(self) -> None:
        """`OOMKilled` helps, `BackoffLimitExceeded` does not."""
        found = job(status=ended("Failed", "BackoffLimitExceeded"))

        reason = reason_of(found, [pod("Failed", status=exited(137, "OOMKilled"))])

        assert Reason("OOMKilled", "The container ended with exit code 137.") == reason

    def test_deadline_says_all(self) -> None:
        """The pod was killed because of it; its exit code is no news."""
        found = job(status=ended("Failed", "DeadlineExceeded", "Job was active longer than specified deadline"))

        reason = reason_of(found, [pod("Failed", status=exited(143))])

        assert Reason("DeadlineExceeded", "Job was active longer than specified deadline") == reason

    def test_evicted_pod_speaks_for_itself(self) -> None:
        """The pod's own reason comes before its containers'."""
        status = exited(137, "OOMKilled")
        status.reason, status.message = "Evicted", "The node was low on memory."

        reason = reason_of(job(status=ended("Failed", "X")), [pod("Failed", status=status)])

        assert Reason("Evicted", "The node was low on memory.") == reason

    @pytest.mark.parametrize("backwards", [False, True])
    def test_last_pod_speaks(self, *, backwards: bool) -> None:
        """In whatever order the cluster lists them."""
        pods = [
            pod("Failed", creation_timestamp=minutes_ago(9), status=exited(1)),
            pod("Failed", creation_timestamp=minutes_ago(1), status=exited(2)),
            pod("Succeeded", creation_timestamp=NOW, status=exited(3)),
        ]

        reason = reason_of(job(status=ended("Failed", "X")), pods[::-1] if backwards else pods)

        assert Reason("Error", "The container ended with exit code 2.") == reason

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
        assert reason_of(job(status=ended("Failed", "X", "y")), [pod("Failed", status=status)]) == Reason("X", "y")

    def test_first_container_that_failed_speaks(self) -> None:
        """Behind one that ended well."""
        status = exited(0)
        status.container_statuses += exited(3, None).container_statuses

        reason = reason_of(job(status=ended("Failed", "X")), [pod("Failed", status=status)])

        assert Reason("Error", "The container ended with exit code 3.") == reason

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
        reason = wait_of(pod("Pending", status=waiting("X", "x" * 5000)))

        assert reason is not None
        assert len(reason.message) == MAX_MESSAGE == 1024
