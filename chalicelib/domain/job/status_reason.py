"""Why a pod is waiting or how it ended: a reason code and the cluster's message, from the status of the pod alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chalicelib.domain.job.containers import blocking_statuses, is_sidecar, main_container, statuses_by_relevance
from chalicelib.domain.job.pod_failure_policy import policy_failure
from chalicelib.domain.kubernetes.completion_indexes import index_of, indexes
from chalicelib.domain.kubernetes.jobs import INDEXED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.kubernetes.jobs import Condition, Job
    from chalicelib.domain.kubernetes.pods import Pod, Terminated

STARTING = frozenset({"ContainerCreating", "PodInitializing"})
"""Waiting reasons of a normal start, which are not reported."""
DISRUPTIONS = {
    "PreemptionByScheduler": "Preempted",
    "DeletionByTaintManager": "NodeLost",
    "DeletionByPodGC": "NodeLost",
    "EvictionByEvictionAPI": "Evicted",
    "TerminationByKubelet": "Evicted",
}
"""The reason that is reported for each reason of the condition DisruptionTarget."""
LOST_CONTAINER = (137, "ContainerStatusUnknown")
"""The kubelet lost the container, and reports an exit code that no process had."""
MAX_MESSAGE = 1024
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class StatusReason:
    """A reason such as `Unschedulable` or `OOMKilled`, and the message of the cluster."""

    reason: str
    message: str = ""
    field_path: str = field(default="", compare=False)
    """The field of the pod or the Job that contains the reason."""
    since: datetime | None = field(default=None, compare=False)
    full_message: str = field(default="", compare=False, repr=False)
    """The message before it was truncated: the cause of a failed pull is at its end, after the names."""


def waiting_reason(job: Job, pod: Pod) -> StatusReason | None:
    """Return why the main container of *pod* does not start, or None if it is running, ended or starting normally."""
    if pod.has_ended:
        return None
    for path, status in blocking_statuses(job, pod):
        waiting = status.state.waiting
        if waiting and waiting.reason and waiting.reason not in STARTING:
            return reason(
                waiting.reason, waiting.message, f"{path}[{status.name}].state.waiting", pod.status.start_time
            )
    scheduled = pod.condition("PodScheduled")
    if scheduled and scheduled.status == "False":
        path = "status.conditions[PodScheduled]"
        return reason(scheduled.reason or "Unschedulable", scheduled.message, path, scheduled.last_transition_time)
    return None


def disruption(pod: Pod) -> StatusReason | None:
    """Return why the cluster terminates *pod* although its program did not fail, or None."""
    target = pod.condition("DisruptionTarget")
    if target is None or not target.is_true:
        return None
    code = DISRUPTIONS.get(target.reason or "")
    path = "status.conditions[DisruptionTarget]"
    return reason(code, target.message or target.reason, path, target.last_transition_time) if code else None


def termination_reason(job: Job, pod: Pod) -> StatusReason | None:
    """Return why *pod* failed, or None if its status does not show it.

    A reason of the whole pod is preferred, such as `Evicted`; then its disruption; then the exit of a container, the
    main one first.
    """
    ended_at = _failed_at(job, pod)
    if pod.status.reason:
        return reason(pod.status.reason, pod.status.message, "status.reason", ended_at)
    return disruption(pod) or failed_container(job, pod)


def failed_container(job: Job, pod: Pod) -> StatusReason | None:
    """Return the reason of the container that failed, the main one first; None if none has failed."""
    main = main_container(job, pod)
    for path, status in statuses_by_relevance(job, pod):
        end = status.state.terminated
        if end and end.exit_code:
            return exit_reason(
                end, f"{path}[{status.name}].state.terminated", "" if status.name == main else status.name
            )
    return None


def failed_container_name(job: Job, pod: Pod) -> str | None:
    """Return the name of the container that failed, the main one first; None if none has failed."""
    ends = ((status.name, status.state.terminated) for _, status in statuses_by_relevance(job, pod))
    return next((name for name, end in ends if end and end.exit_code), None)


def failed_exit_code(job: Job, pod: Pod) -> int | None:
    """Return the exit code of the container that failed *pod*; None if none has failed, or if it is not known."""
    ends = (
        status.state.terminated for _, status in statuses_by_relevance(job, pod) if not is_sidecar(pod, status.name)
    )
    end = next((end for end in ends if end and end.exit_code), None)
    return None if end is None or _is_lost(end) else end.exit_code


def exit_reason(end: Terminated, field_path: str, other: str = "") -> StatusReason:
    """Return the reason of a failed container; *other* is its name if it is not the main container.

    Its message is omitted: that may be the end of the log and contain secrets.
    """
    name = f" {other}" if other else ""
    message = f"The container{name} ended with exit code {end.exit_code}."
    if _is_lost(end):
        message = f"The exit code of the container{name} is not known: the node lost it."
    return reason(end.reason or "Error", message, field_path, end.finished_at)


def first_failure(job: Job, pods: Sequence[Pod]) -> Pod | None:
    """Return the pod whose failure explains that of *job*; None if no pod shows one.

    That is the pod which the Job's PodFailurePolicy names. Otherwise, of the pods that were running together at the
    last attempt, it is the one that failed first: the others often fail because they lost it. The failures of an index
    that succeeded in a later attempt explain nothing.
    """
    if named := policy_failure(job):
        return next((pod for pod in pods if pod.metadata.name == named.pod), None)
    failed = _of_failed_indexes(job, [pod for pod in pods if _has_failed(job, pod)])
    if not failed:
        return None
    last = max(failed, key=lambda pod: (_created(pod), pod.metadata.name))
    together = [pod for pod in failed if (_failed_at(job, pod) or _LAST) >= _created(last)]
    return min(together or [last], key=lambda pod: (_failed_at(job, pod) or _LAST, pod.is_deleted))


def failure_reason(job: Job, condition: Condition, pods: Sequence[Pod]) -> StatusReason:
    """Return why *job* failed, or is failing, by *condition*: if possible the failure of a pod, which explains more."""
    path = f"status.conditions[{condition.type}]"
    own = reason(condition.reason or "Failed", condition.message, path, condition.last_transition_time)
    if own.reason == "DeadlineExceeded":
        return own
    return pod_failure(job, pods) or own


def pod_failure(job: Job, pods: Sequence[Pod]) -> StatusReason | None:
    """Return the reason of the pod whose failure explains that of *job*, or None."""
    pod = first_failure(job, pods)
    return termination_reason(job, pod) if pod else None


def reason(code: str, message: str | None, field_path: str, since: datetime | None = None) -> StatusReason:
    """Return a StatusReason whose texts are not longer than MAX_MESSAGE, except for the full message."""
    text = message or ""
    return StatusReason(code[:MAX_MESSAGE], text[:MAX_MESSAGE], field_path, since, text)


def _is_lost(end: Terminated) -> bool:
    return (end.exit_code, end.reason) == LOST_CONTAINER


def _has_failed(job: Job, pod: Pod) -> bool:
    return pod.status.phase != "Succeeded" and bool(pod.status.phase == "Failed" or failed_container(job, pod))


def _of_failed_indexes(job: Job, pods: Sequence[Pod]) -> Sequence[Pod]:
    """Return those of *pods* whose index failed, or at least did not succeed; all, if the Job is not Indexed."""
    if job.spec.completion_mode != INDEXED or not pods:
        return pods
    failed, completed = indexes(job.status.failed_indexes or ""), indexes(job.status.completed_indexes or "")
    exhausted = [pod for pod in pods if index_of(pod) in failed]
    return exhausted or [pod for pod in pods if index_of(pod) not in completed]


def _created(pod: Pod) -> datetime:
    return pod.metadata.creation_timestamp or datetime.min.replace(tzinfo=UTC)


def _failed_at(job: Job, pod: Pod) -> datetime | None:
    """Return when *pod* failed: the end of its failed container, else when it was disrupted or became unready."""
    failed = failed_container(job, pod)
    if failed and failed.since:
        return failed.since
    conditions = (pod.condition("DisruptionTarget"), pod.condition("Ready"))
    return next((each.last_transition_time for each in conditions if each and each.last_transition_time), None)
