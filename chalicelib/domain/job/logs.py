"""Select the container log that a query describes, and cut it to the requested size.

A Job can have several attempts: pods that failed and their replacements, and restarts of a container in its pod.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from chalicelib.domain.errors import FieldError, JobNotStarted, LogGone, MalformedRequest, NodeUnavailable
from chalicelib.domain.failure_reasons import note_reason
from chalicelib.domain.job.containers import main_container
from chalicelib.domain.job.status import assess
from chalicelib.domain.job.status_reason import StatusReason, disruption
from chalicelib.domain.kubernetes.completion_indexes import index_of
from chalicelib.domain.kubernetes.jobs import INDEXED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chalicelib.domain.job.log_query import LogQuery
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import ContainerStatus, Pod

LOG_GONE = (
    "The pod was deleted, and its log with it. "
    "Get the Job to see how it ended; your platform engineers may store logs elsewhere."
)
NODE_GONE = (
    "The node of the pod no longer exists, and the log with it. "
    "Get the Job to see how it ended; your platform engineers may store logs elsewhere."
)
NODE_LOST = (
    "The node of the pod stopped responding, and the cluster deletes the pod. "
    "Its log can only be read if the node comes back. Get the diagnosis of the Job."
)


class ContainerRun(msgspec.Struct, frozen=True):
    """A run of *container* in *pod*: the latest, or if *restarted* the one before the container's last restart."""

    pod: str
    container: str
    restarted: bool = False


def select_attempt(job: Job, pods: Sequence[Pod], query: LogQuery) -> ContainerRun:
    """Return the attempt that *query* selects: running pods take precedence, then the newest pod.

    Raises:
        MalformedRequest: The Job has no such container or index; the message lists the valid ones.
        JobNotStarted: No container has started yet; the message has the reason.
        LogGone: The pods were deleted.
    """
    check_index(job, query.index)
    selected = [pod for pod in pods if query.index is None or index_of(pod) == query.index]
    container = _container(job, selected, query.container)
    attempts = list(_runs(selected, container))
    if not attempts:
        raise _no_log_error(job, selected)
    if not query.previous:
        return attempts[0]
    if len(attempts) == 1:
        raise LogGone("There was no previous attempt, or its pod was deleted. Send the request without previous.")
    return attempts[1]


def lost_log(error: LogGone | NodeUnavailable, pod: Pod) -> LogGone | NodeUnavailable:
    """Return the error for the log of *pod* that could not be read: does it come back, or is it lost with its node.

    The reason for the log line stays that of *error*.
    """
    lost = disruption(pod)
    if lost is None or lost.reason != "NodeLost":
        return error
    if pod.has_ended or isinstance(error, LogGone):
        return LogGone(NODE_GONE)
    return note_reason(NodeUnavailable(NODE_LOST, retry_after=error.retry_after), error.why or "")


def tail_bytes(log: bytes, limit: int) -> bytes:
    """Return at most the last *limit* bytes of *log*, beginning at the start of a line if there is one."""
    tail = log[-limit:]
    if len(tail) < len(log):
        _, _, whole_lines = log[-limit - 1 :].partition(b"\n")
        tail = whole_lines or tail
    return tail


def _runs(pods: Sequence[Pod], container: str) -> Iterator[ContainerRun]:
    """Yield the runs of *container* that can have a log, the latest pod first; older pods only if they failed."""
    started = sorted((pod for pod in pods if _has_started(pod, container)), key=_rank, reverse=True)
    for number, pod in enumerate(started):
        if number == 0 or pod.status.phase == "Failed":
            yield ContainerRun(pod.metadata.name, container)
            if _restarts(pod, container):
                yield ContainerRun(pod.metadata.name, container, restarted=True)


def _rank(pod: Pod) -> tuple[bool, str, str]:
    return pod.status.phase == "Running", str(pod.metadata.creation_timestamp), pod.metadata.name


def _has_started(pod: Pod, container: str) -> bool:
    status = container_status(pod, container)
    if status is None:
        return pod.status.phase in ("Running", "Succeeded", "Failed") and not _statuses(pod)
    return bool(status.state.running or status.state.terminated or status.last_state.terminated)


def _restarts(pod: Pod, container: str) -> bool:
    status = container_status(pod, container)
    return bool(status and status.restart_count and status.last_state.terminated)


def container_status(pod: Pod, container: str) -> ContainerStatus | None:
    """Return the status of *container*, or None if the kubelet has not reported it."""
    return next((status for status in _statuses(pod) if status.name == container), None)


def _statuses(pod: Pod) -> list[ContainerStatus]:
    return [*pod.status.init_container_statuses, *pod.status.container_statuses]


def _container(job: Job, pods: Sequence[Pod], requested: str | None) -> str:
    """Return the name of the container to read; without pods it is not validated, as there is no log to read."""
    specs = [pod.spec for pod in pods[:1]]
    names = [container.name for spec in specs for container in [*spec.containers, *spec.init_containers]]
    if requested and names and requested not in names:
        raise _invalid("/container", f"must be one of {', '.join(names)}")
    return requested or default_container(job, pods)


def default_container(job: Job, pods: Sequence[Pod]) -> str:
    """Return the main container; if it never started because an init container failed, the init container."""
    main = next((main_container(job, pod) for pod in pods), "")
    if any(_has_started(pod, main) for pod in pods):
        return main
    failed = (name for pod in pods if (name := _failed_init_container(pod)))
    return next(failed, main)


def _failed_init_container(pod: Pod) -> str | None:
    for status in pod.status.init_container_statuses:
        end = status.state.terminated or status.last_state.terminated
        if end and end.exit_code:
            return status.name
    return None


def check_index(job: Job, index: int | None) -> None:
    """Raise MalformedRequest if *job* has no such *index*."""
    if index is None:
        return
    if job.spec.completion_mode != INDEXED:
        raise _invalid("/index", "is only valid for Indexed Jobs, and this Job is not Indexed")
    completions = job.spec.completions or 0
    if index >= completions:
        raise _invalid("/index", f"must be between 0 and {completions - 1}")


def _no_log_error(job: Job, pods: Sequence[Pod]) -> JobNotStarted | LogGone:
    if job.finished:
        return LogGone(LOG_GONE)
    reason = (
        StatusReason("Suspended", "It waits until it is resumed.") if job.spec.suspend else assess(job, pods).reason
    )
    cause = f"{reason.reason}: {reason.message}".rstrip(": .") if reason else "Its pod is starting"
    return JobNotStarted(f"No container of the Job has started. {cause}. Try again later, or get its diagnosis.")


def _invalid(pointer: str, message: str) -> MalformedRequest:
    return MalformedRequest("The Job has no such log; errors names the parameter.", (FieldError(pointer, message),))
