"""The GPU-seconds of a Job: of each pod its GPUs, from the time it was scheduled to the end of its last container.

The time in which a pod waits for a node does not count; the time in which its image is pulled does, because the GPUs
are reserved. What the cluster does not have any more cannot be counted: then the result is a lower bound.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from chalicelib.domain.job.outcome_record import recorded_outcome
from chalicelib.domain.job.view import gpus_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import Pod

PROMPT = timedelta(seconds=60)
"""Within this time, a Job that was created suspended is resumed, and a Job that starts gets its first pods."""


class Usage(NamedTuple):
    """GPU-seconds, and whether the Job may have used more."""

    gpu_seconds: float
    is_lower_bound: bool


def usage(job: Job, pods: Sequence[Pod]) -> Usage:
    """Return the GPU-seconds that *job* used; *pods* are those of its pods that the cluster still has."""
    if not gpus_of(job.spec.template.spec.containers):
        return Usage(0.0, is_lower_bound=False)
    # A pod without a node held no GPUs; the API server names the node when the pod is scheduled.
    times = [(pod, _scheduled_at(pod), _ended_at(pod)) for pod in pods if pod.spec.node_name]
    seconds = sum(gpus_of(pod.spec.containers) * _seconds(start, end) for pod, start, end in times)
    is_complete = all(start and end for _, start, end in times) and not _has_lost_pods(job, pods)
    return Usage(seconds, is_lower_bound=not is_complete)


def known_usage(job: Job, pods: Sequence[Pod]) -> Usage:
    """Return the usage of *job*; the recorded one if it was announced while more of its pods existed than *pods*."""
    found, record = usage(job, pods), recorded_outcome(job)
    if record is None or not found.is_lower_bound or record.gpu_seconds < found.gpu_seconds:
        return found
    return Usage(record.gpu_seconds, is_lower_bound=record.gpu_seconds_is_lower_bound)


def _has_lost_pods(job: Job, pods: Sequence[Pod]) -> bool:
    """Return whether *job* had pods that are not among *pods*: counted ones, or those of earlier runs."""
    status = job.status
    if len(pods) < (status.succeeded or 0) + (status.failed or 0):
        return True
    if any(
        condition.type == "Suspended" and not _was_created_suspended(job, condition.last_transition_time)
        for condition in status.conditions
    ):
        return True
    created = [pod.metadata.creation_timestamp for pod in pods if pod.metadata.creation_timestamp]
    return bool(created) and status.start_time is not None and min(created) - status.start_time > PROMPT


def _was_created_suspended(job: Job, resumed_at: datetime | None) -> bool:
    created_at = job.metadata.creation_timestamp
    return resumed_at is not None and created_at is not None and resumed_at - created_at <= PROMPT


def _scheduled_at(pod: Pod) -> datetime | None:
    scheduled = pod.condition("PodScheduled")
    if scheduled and scheduled.is_true and scheduled.last_transition_time:
        return scheduled.last_transition_time
    return pod.status.start_time


def _ended_at(pod: Pod) -> datetime | None:
    """Return the end of the last container; None if one has not ended or the kubelet has not reported it."""
    statuses = [*pod.status.init_container_statuses, *pod.status.container_statuses]
    ends = [status.state.terminated for status in statuses]
    times = [end.finished_at for end in ends if end and end.finished_at]
    return max(times) if times and len(times) == len(ends) else None


def _seconds(start: datetime | None, end: datetime | None) -> float:
    return max(0.0, (end - start).total_seconds()) if start and end else 0.0
