"""Why a Job is where it is, from the Job and its pods: a reason in one word, and the cluster's message beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.domain.manifest.multi_node import is_incomplete

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.kubernetes.jobs import Condition, Job
    from chalicelib.domain.kubernetes.pods import Pod, Terminated

STARTING = frozenset({"ContainerCreating", "PodInitializing"})
"""Waiting reasons that are no trouble: the container is on its way."""

MAX_MESSAGE = 1024


@dataclass(frozen=True)
class StatusReason:
    """A reason in one word, such as `Unschedulable` or `OOMKilled`, and what the cluster says of it."""

    word: str
    message: str = ""
    place: str = field(default="", compare=False)
    """The field of the pod or the Job where it stands."""


def reason_of(job: Job, pods: Sequence[Pod]) -> StatusReason | None:
    """Why *job* has not started, or how it ended badly; None where there is nothing to explain."""
    end = job.finished
    if end is not None:
        return None if end.type == "Complete" else _failure(end, pods)
    waits = [reason for pod in pods if (reason := wait_of(pod))]
    if waits:
        return waits[0]
    return _without_active_pods(job, pods)


def wait_of(pod: Pod) -> StatusReason | None:
    """Why *pod* does not start, or None when it runs, has ended, or is on its way."""
    for status in pod.status.container_statuses:
        waiting = status.state.waiting
        if waiting and waiting.reason and waiting.reason not in STARTING:
            return _reason(waiting.reason, waiting.message, f"status.containerStatuses[{status.name}].state.waiting")
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.status == "False":
            word = condition.reason or "Unschedulable"
            return _reason(word, condition.message, "status.conditions[PodScheduled]")
    return None


def last_failed(pods: Sequence[Pod]) -> Pod | None:
    """The last of *pods* that failed, or None."""
    failed = [pod for pod in pods if pod.status.phase == "Failed"]
    return max(failed, key=lambda pod: str(pod.metadata.creation_timestamp), default=None)


def end_of(pod: Pod) -> StatusReason | None:
    """How *pod* ended badly, or None where it does not say."""
    if pod.status.reason:
        return _reason(pod.status.reason, pod.status.message, "status.reason")
    ends = ((status.name, status.state.terminated) for status in pod.status.container_statuses)
    return next((_ended(name, end) for name, end in ends if end and end.exit_code), None)


def _without_active_pods(job: Job, pods: Sequence[Pod]) -> StatusReason | None:
    if is_incomplete(job):
        return StatusReason("Incomplete", "Its submission broke off. Send the same request again, or delete the Job.")
    if job.spec.suspend or job.status.active or job.status.start_time is None:
        return None
    if job.status.failed:
        return _pod_failure(pods) or StatusReason("Retrying", "The last pod failed; the next one starts after a pause.")
    if not job.status.succeeded:
        return StatusReason("PodsNotCreated", "The cluster could not create the Job's pods, often because of a quota.")
    return None


def _failure(end: Condition, pods: Sequence[Pod]) -> StatusReason:
    """The pod's own end says more than `BackoffLimitExceeded`; a deadline says all there is."""
    cluster = _reason(end.reason or "Failed", end.message, "status.conditions[Failed]")
    if cluster.word == "DeadlineExceeded":
        return cluster
    return _pod_failure(pods) or cluster


def _pod_failure(pods: Sequence[Pod]) -> StatusReason | None:
    """How the last pod that failed ended."""
    last = last_failed(pods)
    return end_of(last) if last else None


def _ended(name: str, end: Terminated) -> StatusReason:
    """How a container ended. Its message is left out: it may be the end of the log, and so anything."""
    place = f"status.containerStatuses[{name}].state.terminated"
    return _reason(end.reason or "Error", f"The container ended with exit code {end.exit_code}.", place)


def _reason(word: str, message: str | None, place: str) -> StatusReason:
    return StatusReason(word[:MAX_MESSAGE], (message or "")[:MAX_MESSAGE], place)
