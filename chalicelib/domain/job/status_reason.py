"""The reason for a Job's current status, from the Job and its pods: a reason code and the cluster's message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.domain.manifest.multi_node import is_incomplete

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.kubernetes.jobs import Condition, Job
    from chalicelib.domain.kubernetes.pods import Pod, Terminated

STARTING = frozenset({"ContainerCreating", "PodInitializing"})
"""Waiting reasons of a normal start, which are not reported."""

MAX_MESSAGE = 1024


@dataclass(frozen=True)
class StatusReason:
    """A reason such as `Unschedulable` or `OOMKilled`, and the message of the cluster."""

    reason: str
    message: str = ""
    field_path: str = field(default="", compare=False)
    """The field of the pod or the Job that contains the reason."""


def reason_of(job: Job, pods: Sequence[Pod]) -> StatusReason | None:
    """Return why *job* has not started or why it failed; None if it is running, starting normally or complete."""
    condition = job.finished
    if condition is not None:
        return None if condition.type == "Complete" else _failure(condition, pods)
    waiting = [reason for pod in pods if (reason := waiting_reason(pod))]
    if waiting:
        return waiting[0]
    return _without_active_pods(job, pods)


def waiting_reason(pod: Pod) -> StatusReason | None:
    """Return why *pod* does not start, or None if it is running, has terminated or is starting normally."""
    for status in pod.status.container_statuses:
        waiting = status.state.waiting
        if waiting and waiting.reason and waiting.reason not in STARTING:
            return _reason(waiting.reason, waiting.message, f"status.containerStatuses[{status.name}].state.waiting")
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.status == "False":
            reason = condition.reason or "Unschedulable"
            return _reason(reason, condition.message, "status.conditions[PodScheduled]")
    return None


def last_failed(pods: Sequence[Pod]) -> Pod | None:
    """Return the pod that failed last, or None."""
    failed = [pod for pod in pods if pod.status.phase == "Failed"]
    return max(failed, key=lambda pod: str(pod.metadata.creation_timestamp), default=None)


def termination_reason(pod: Pod) -> StatusReason | None:
    """Return why *pod* failed, or None if its status does not show it."""
    if pod.status.reason:
        return _reason(pod.status.reason, pod.status.message, "status.reason")
    ends = ((status.name, status.state.terminated) for status in pod.status.container_statuses)
    return next((_terminated(name, end) for name, end in ends if end and end.exit_code), None)


def _without_active_pods(job: Job, pods: Sequence[Pod]) -> StatusReason | None:
    if is_incomplete(job):
        return StatusReason("Incomplete", "Its creation was interrupted. Repeat the same request, or delete the Job.")
    if job.spec.suspend or job.status.active or job.status.start_time is None:
        return None
    if job.status.failed:
        return _pod_failure(pods) or StatusReason("Retrying", "The last pod failed; the next one starts after a delay.")
    if not job.status.succeeded:
        return StatusReason("PodsNotCreated", "The cluster could not create the Job's pods, often because of a quota.")
    return None


def _failure(condition: Condition, pods: Sequence[Pod]) -> StatusReason:
    """Prefer the failure of a pod, which explains more than `BackoffLimitExceeded`, except for `DeadlineExceeded`."""
    job_failure = _reason(condition.reason or "Failed", condition.message, "status.conditions[Failed]")
    if job_failure.reason == "DeadlineExceeded":
        return job_failure
    return _pod_failure(pods) or job_failure


def _pod_failure(pods: Sequence[Pod]) -> StatusReason | None:
    last = last_failed(pods)
    return termination_reason(last) if last else None


def _terminated(name: str, end: Terminated) -> StatusReason:
    """Return why a container failed, without its message: that may be the end of the log and contain secrets."""
    field_path = f"status.containerStatuses[{name}].state.terminated"
    return _reason(end.reason or "Error", f"The container ended with exit code {end.exit_code}.", field_path)


def _reason(reason: str, message: str | None, field_path: str) -> StatusReason:
    return StatusReason(reason[:MAX_MESSAGE], (message or "")[:MAX_MESSAGE], field_path)
