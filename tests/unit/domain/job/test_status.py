"""Tests of the status of a Job and the reason for it."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from chalicelib.domain.job.status import Status, assess, is_gang, missing_pods
from chalicelib.domain.job.status_reason import StatusReason
from chalicelib.domain.kubernetes.jobs import Condition, Job, JobSpec, JobStatus, PodSpec, PodTemplate
from chalicelib.domain.kubernetes.pods import ContainerState, Pod, PodStatus, Terminated
from chalicelib.domain.labels import INCOMPLETE_ANNOTATION
from tests.support.builders import NOW, disrupted, ended, exited, job, minutes_ago, pod, running, unscheduled, waiting

QUEUED = {"kueue.x-k8s.io/queue-name": "gpus"}
STARTED = minutes_ago(5)
GANG = JobSpec(
    parallelism=2, completions=2, completion_mode="Indexed", template=PodTemplate(spec=PodSpec(subdomain="train-1"))
)
UNSCHEDULED = pod("Pending", status=unscheduled())
CANNOT_PULL = pod("Pending", node="n", status=waiting("ErrImagePull"))
WITH_SIDECAR = exited(0)
WITH_SIDECAR.container_statuses += running(name="istio-proxy").container_statuses
CRASHING = waiting("CrashLoopBackOff", "back-off 40s")
CRASHING.container_statuses[0].last_state = ContainerState(terminated=Terminated(exit_code=1))


def decided(kind: str, reason: str | None = None) -> JobStatus:
    """Return the status of a Job whose end is decided by the condition *kind* while its last pods terminate."""
    return JobStatus(start_time=STARTED, conditions=[Condition(type=kind, status="True", reason=reason)])


def started(**fields: Any) -> JobStatus:  # noqa: ANN401 - any field
    """Return the status of a Job that started five minutes ago."""
    return JobStatus(start_time=STARTED, **fields)


def ending(status: PodStatus | None = None) -> Pod:
    """Return a pod in its grace period."""
    return pod("Running", status=status, deletion_timestamp=NOW)


class TestStatus:
    """Tests of Status."""

    def test_list_is_closed(self) -> None:
        """Clients depend on these nine statuses."""
        expected = "Pending Queued ContainerCreating Running Suspended Terminating Succeeded Failed Unknown"
        assert set(get_args(Status)) == set(expected.split())


class TestAssess:
    """Tests of assess."""

    @pytest.mark.parametrize(
        ("subject", "pods", "status", "reason"),
        [
            pytest.param(job(deletion_timestamp=NOW), [pod()], "Terminating", None, id="being deleted"),
            pytest.param(
                job(status=ended("Complete"), deletion_timestamp=NOW), [], "Terminating", None, id="complete, deleted"
            ),
            pytest.param(
                job(status=ended("Failed", "X"), deletion_timestamp=NOW), [], "Terminating", "X", id="failed, deleted"
            ),
            pytest.param(job(status=ended("Complete")), [pod()], "Succeeded", None, id="complete, pod is stopping"),
            pytest.param(
                job(status=ended("Complete", "X")), [pod("Failed", status=exited(1))], "Succeeded", None, id="complete"
            ),
            pytest.param(
                job(spec=JobSpec(suspend=True), status=ended("Failed", "X")), [], "Failed", "X", id="suspended"
            ),
            pytest.param(job(spec=JobSpec(suspend=True)), [], "Suspended", None, id="suspended"),
            pytest.param(job(spec=JobSpec(suspend=True)), [pod()], "Suspended", None, id="pods not yet stopped"),
            pytest.param(
                job(spec=JobSpec(suspend=True)), [ending()], "Suspended", "PodsTerminating", id="suspended, stops"
            ),
            pytest.param(
                job(spec=JobSpec(suspend=True), status=started(terminating=1)), [], "Suspended", "PodsTerminating",
                id="suspended, by the counter",
            ),
            pytest.param(job(spec=JobSpec(suspend=True), labels=QUEUED), [], "Queued", None, id="queued"),
            pytest.param(job(spec=JobSpec(suspend=False), labels=QUEUED), [], "Pending", None, id="admitted"),
            pytest.param(
                job(spec=JobSpec(suspend=True), annotations={INCOMPLETE_ANNOTATION: ""}), [], "Suspended", "Incomplete",
                id="interrupted creation",
            ),
            pytest.param(
                job(status=decided("FailureTarget", "DeadlineExceeded")), [ending()], "Terminating",
                "DeadlineExceeded", id="deadline over",
            ),
            pytest.param(
                job(status=decided("FailureTarget", "BackoffLimitExceeded")),
                [ending(), pod("Failed", status=exited(137, "OOMKilled"))], "Terminating", "OOMKilled", id="is failing",
            ),
            pytest.param(
                job(status=decided("SuccessCriteriaMet")), [ending(), pod("Failed", status=exited(143))], "Terminating",
                None, id="is succeeding",
            ),
            pytest.param(job(), [], "Pending", None, id="created"),
            pytest.param(job(), [pod("Pending")], "Pending", None, id="pod without a node"),
            pytest.param(job(), [UNSCHEDULED], "Pending", "Unschedulable", id="unschedulable"),
            pytest.param(job(), [pod("Pending", node="n")], "ContainerCreating", None, id="pod on a node"),
            pytest.param(job(), [CANNOT_PULL], "Pending", "ErrImagePull", id="cannot pull"),
            pytest.param(
                job(), [CANNOT_PULL, pod("Pending", node="n")], "Pending", "ErrImagePull",
                id="one of two cannot pull",
            ),
            pytest.param(
                job(), [UNSCHEDULED, CANNOT_PULL], "Pending", "ErrImagePull",
                id="a pull that fails is harder to resolve than a full cluster",
            ),
            pytest.param(job(), [pod()], "Running", None, id="running"),
            pytest.param(
                job(), [UNSCHEDULED, pod()], "Running", "Unschedulable", id="one of two is running"
            ),
            pytest.param(
                job(spec=GANG), [UNSCHEDULED, pod()], "Pending", "Unschedulable",
                id="one of two nodes is running",
            ),
            pytest.param(job(spec=GANG), [pod(), pod()], "Running", None, id="both nodes are running"),
            pytest.param(
                job(spec=GANG, status=started(succeeded=1)), [pod()], "Running", None, id="one node has succeeded"
            ),
            pytest.param(job(spec=GANG, status=started(active=2, ready=1)), [], "Pending", None, id="one is ready"),
            pytest.param(job(), [pod(node="n", status=CRASHING)], "Pending", "CrashLoopBackOff", id="crashes"),
            pytest.param(job(), [pod(status=WITH_SIDECAR)], "Running", "SidecarRunning", id="only a sidecar is left"),
            pytest.param(
                job(), [pod(status=disrupted("DeletionByTaintManager"))], "Running", "NodeLost", id="will be evicted"
            ),
            pytest.param(job(status=JobStatus(ready=1)), [], "Running", None, id="ready, without known pods"),
            pytest.param(job(status=JobStatus(active=1, ready=0)), [], "Pending", None, id="active but not ready"),
            pytest.param(job(), [pod("Unknown")], "Unknown", "NodeLost", id="node is lost"),
            pytest.param(job(), [pod("Unknown"), pod("Pending")], "Pending", "NodeLost", id="one of two nodes lost"),
            pytest.param(job(spec=JobSpec(parallelism=0)), [], "Suspended", "ParallelismZero", id="parallelism 0"),
            pytest.param(job(), [ending()], "Pending", "PodsTerminating", id="pod is being replaced"),
            pytest.param(job(status=started(terminating=1)), [], "Pending", "PodsTerminating", id="by the counter"),
            pytest.param(
                job(), [ending(disrupted("PreemptionByScheduler"))], "Pending", "Preempted", id="preempted"
            ),
            pytest.param(job(), [pod("Succeeded")], "Pending", None, id="between two completions"),
            pytest.param(job(status=started(succeeded=1)), [], "Pending", None, id="between two completions, counted"),
            pytest.param(job(status=started(active=1)), [], "Pending", None, id="pods are created"),
            pytest.param(job(), [pod("Failed", status=exited(1))], "Pending", None, id="failed, not yet counted"),
            pytest.param(job(status=started(failed=1)), [], "Pending", "Retrying", id="between two attempts"),
            pytest.param(
                job(status=started(failed=1)), [pod("Failed", node="n", status=exited(137, "OOMKilled"))], "Pending",
                "OOMKilled", id="last attempt",
            ),
            pytest.param(job(status=started(active=0)), [], "Pending", "PodsNotCreated", id="no pods"),
        ],
    )  # fmt: skip
    def test_status_and_reason(self, subject: Job, pods: list[Pod], status: str, reason: str | None) -> None:
        """Deletion, the end, suspension and a decided end take precedence over the state of the pods."""
        assessment = assess(subject, pods)

        assert (assessment.status, assessment.reason.reason if assessment.reason else None) == (status, reason)

    @pytest.mark.parametrize("reason", ["BackoffLimitExceeded", None, ""])
    def test_failure_without_pods(self, reason: str | None) -> None:
        """Without pods, as in lists, the reason is that of the condition."""
        expected = StatusReason(reason or "Failed", "m")

        assert assess(job(status=ended("Failed", reason, "m")), []).reason == expected

    def test_retrying_pod_is_the_evidence(self) -> None:
        """The assessment names the pod that shows the reason."""
        stuck = pod("Pending", name="b", status=unscheduled())

        assert assess(job(), [pod(name="a"), stuck]).pod is stuck


class TestIsGang:
    """Tests of is_gang."""

    def test_multi_node_job(self) -> None:
        """Only an Indexed Job with a Service, all of whose pods run together, is a gang."""
        independent = JobSpec(parallelism=2, completions=2, completion_mode="Indexed")

        assert is_gang(job(spec=GANG))
        assert not is_gang(job(spec=independent))


class TestMissingPods:
    """Tests of missing_pods."""

    @pytest.mark.parametrize(
        ("spec", "status", "expected"),
        [
            (JobSpec(), JobStatus(), 1),
            (JobSpec(parallelism=4, completions=2), JobStatus(succeeded=1), 1),
            (JobSpec(parallelism=4), JobStatus(active=1, terminating=2), 1),
            (JobSpec(parallelism=1), JobStatus(active=3), 0),
        ],
    )
    def test_number(self, spec: JobSpec, status: JobStatus, expected: int) -> None:
        """Completed, active and terminating pods are not missing."""
        assert missing_pods(job(spec=spec, status=status)) == expected
