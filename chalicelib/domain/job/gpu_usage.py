"""The GPU-seconds that a Job used: measured from its pods if all are known, otherwise estimated from the Job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from chalicelib.domain.job.view import gpus_at_once, gpus_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import Pod, PodStatus


class Usage(NamedTuple):
    """GPU-seconds, and whether they come from the pods or from the Job."""

    gpu_seconds: float
    source: Literal["pods", "job"]


def usage(job: Job, pods: Sequence[Pod]) -> Usage:
    """Return the GPU-seconds of *pods*; if not all pods of *job* are among them, its duration times its GPUs."""
    used = _of_pods(job, pods)
    if used is None:
        return Usage(gpus_at_once(job) * _duration(job.status.start_time, job.finished_at), "job")
    return Usage(used, "pods")


def _of_pods(job: Job, pods: Sequence[Pod]) -> float | None:
    """Return the GPU-seconds of the pods, or None unless all terminated pods are known, with their times."""
    times = [times for pod in pods if (times := _times(pod.status))]
    if not pods or len(times) < max(len(pods), (job.status.succeeded or 0) + (job.status.failed or 0)):
        return None
    return sum(gpus_of(pod.spec.containers) * _duration(*time) for pod, time in zip(pods, times, strict=True))


def _times(status: PodStatus) -> tuple[datetime, datetime] | None:
    """Return when the first container of a pod started and when the last one finished."""
    ends = [container.state.terminated for container in status.container_statuses]
    starts = [end.started_at for end in ends if end and end.started_at]
    finishes = [end.finished_at for end in ends if end and end.finished_at]
    return (min(starts), max(finishes)) if starts and finishes else None


def _duration(start: datetime | None, end: datetime | None) -> float:
    return max(0.0, (end - start).total_seconds()) if start and end else 0.0
