"""The causes that the status and the events of a pod show: why it is waiting, or why it failed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chalicelib.domain.diagnosis.causes import Finding
from chalicelib.domain.job.event_list import ObjectName
from chalicelib.domain.job.status_reason import MAX_MESSAGE, StatusReason, termination_reason, waiting_reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chalicelib.domain.diagnosis.causes import Cause
    from chalicelib.domain.kubernetes.events import Event
    from chalicelib.domain.kubernetes.pods import Pod

IMAGE_PULL_REASONS = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"})
WAITING_CAUSES: dict[str, Cause] = {
    "InvalidImageName": "ImageNotFound",
    "ErrImageNeverPull": "ImageNotFound",
    "CreateContainerConfigError": "ConfigMissing",
    "CreateContainerError": "CannotStart",
    "RunContainerError": "CannotStart",
    "SchedulingGated": "QueueWaiting",
}
"""The cause of each waiting reason that has exactly one."""
TERMINATION_CAUSES: dict[str, Cause] = {
    "OOMKilled": "OutOfMemory",
    "StartError": "CannotStart",
    "ContainerCannotRun": "CannotStart",
    "Error": "ExitCode",
    "Evicted": "Evicted",
    "Preempting": "Preempted",
    "NodeLost": "NodeLost",
    "NodeShutdown": "NodeLost",
    "Terminated": "NodeLost",
    "ContainerStatusUnknown": "NodeLost",
}
"""The cause of each termination reason."""
DISRUPTION_CAUSES: dict[str, Cause] = {
    "PreemptionByScheduler": "Preempted",
    "DeletionByTaintManager": "NodeLost",
    "DeletionByPodGC": "NodeLost",
    "EvictionByEvictionAPI": "Evicted",
    "TerminationByKubelet": "Evicted",
}
"""The cause of each reason in the condition DisruptionTarget."""

# In this order: first a node that only lacks resources, which may become free, then one that is only tainted.
_SCHEDULER_MESSAGES: tuple[tuple[str, Cause], ...] = (
    (r"persistentvolumeclaim|PersistentVolume|volume node affinity|max volume count", "VolumeUnavailable"),
    (r"Insufficient |Too many pods", "UnschedulableResources"),
    (r"taint|were unschedulable", "UnschedulableTaint"),
    (r"affinity/selector", "UnschedulableSelector"),
)
# A registry that hides private images reports both causes: assume that the image exists.
_REGISTRY_MESSAGES: tuple[tuple[str, Cause], ...] = (
    (r"401|403|unauthorized|forbidden|denied|authoriz|authenticat|credential", "ImageUnauthorized"),
    (r"not found|manifest unknown|name unknown|does not exist|404", "ImageNotFound"),
)
_MOUNT_FAILURES = frozenset({"FailedMount", "FailedAttachVolume"})


def waiting_finding(pod: Pod, events: Sequence[Event]) -> Finding | None:
    """Return why *pod* does not start, or None if it is starting."""
    wait = waiting_reason(pod)
    if wait is None:
        return _mount_failure(pod, events)
    if wait.reason == "CrashLoopBackOff":
        return _crash(pod) or _finding("ExitCode", pod, wait, pod.status.start_time)
    failures = [event.message or "" for event in _events_of(pod, events) if event.reason == "Failed"]
    cause, message = _waiting_cause(wait, failures)
    reason = StatusReason(wait.reason, message or wait.reason, wait.field_path)
    return _finding(cause, pod, reason, _unschedulable_since(pod) or pod.status.start_time)


def failure_finding(pod: Pod) -> Finding | None:
    """Return why *pod* failed, or None if its status does not show it."""
    termination = termination_reason(pod)
    for condition in pod.status.conditions:
        if condition.type == "DisruptionTarget" and condition.is_true and condition.reason in DISRUPTION_CAUSES:
            own_message = termination.message if termination else ""
            message = own_message or (condition.message or condition.reason)[:MAX_MESSAGE]
            reason = StatusReason(condition.reason, message, "status.conditions[DisruptionTarget]")
            return _finding(DISRUPTION_CAUSES[condition.reason], pod, reason, condition.last_transition_time)
    if termination is None:
        return None
    default: Cause = "ExitCode" if "terminated" in termination.field_path else "Unknown"
    cause = TERMINATION_CAUSES.get(termination.reason, default)
    return _finding(cause, pod, _with_runtime_message(termination, pod), _finished_at(pod))


def _waiting_cause(wait: StatusReason, failures: Sequence[str]) -> tuple[Cause, str]:
    """Return the cause and its message; older kubelets report why an image pull failed only in events (*failures*)."""
    if wait.reason in IMAGE_PULL_REASONS:
        for message in (wait.message, *failures):
            if cause := _match(_REGISTRY_MESSAGES, message):
                return cause, message
        return "ImageUnavailable", wait.message
    if wait.reason == "Unschedulable":
        # The text after "preemption:" repeats the same phrases about the victims.
        return _match(_SCHEDULER_MESSAGES, wait.message.partition("preemption:")[0]) or "Unknown", wait.message
    return WAITING_CAUSES.get(wait.reason, "Unknown"), wait.message


def _match(patterns: Sequence[tuple[str, Cause]], text: str) -> Cause | None:
    return next((cause for pattern, cause in patterns if re.search(pattern, text, re.IGNORECASE)), None)


def _mount_failure(pod: Pod, events: Sequence[Event]) -> Finding | None:
    """Return the finding for a volume that cannot be mounted, which only events report."""
    failed = [event for event in _events_of(pod, events) if event.reason in _MOUNT_FAILURES]
    if not failed or pod.status.phase != "Pending":
        return None
    last = max(failed, key=lambda event: event.last_seen)
    reason = StatusReason("FailedMount", (last.message or "")[:MAX_MESSAGE], f"event {last.reason}")
    return _finding("VolumeUnavailable", pod, reason, min(event.first_seen for event in failed))


def _crash(pod: Pod) -> Finding | None:
    """Return why the last run of a restarting container failed."""
    for status in pod.status.container_statuses:
        end = status.last_state.terminated
        if end and end.exit_code:
            field_path = f"status.containerStatuses[{status.name}].lastState.terminated"
            message = f"The container ended with exit code {end.exit_code}."
            reason = StatusReason(end.reason or "Error", message, field_path)
            return _finding(TERMINATION_CAUSES.get(reason.reason, "ExitCode"), pod, reason, end.finished_at)
    return None


def _with_runtime_message(termination: StatusReason, pod: Pod) -> StatusReason:
    """Append the container's message if no program ran: otherwise it may be the end of the program's log."""
    if TERMINATION_CAUSES.get(termination.reason) != "CannotStart":
        return termination
    ends = (status.state.terminated for status in pod.status.container_statuses)
    runtime_message = next((end.message for end in ends if end and end.exit_code and end.message), "")
    message = f"{termination.message} {runtime_message}".strip()[:MAX_MESSAGE]
    return StatusReason(termination.reason, message, termination.field_path)


def _events_of(pod: Pod, events: Sequence[Event]) -> list[Event]:
    return [event for event in events if event.involved_object.uid == pod.metadata.uid]


def _finding(cause: Cause, pod: Pod, reason: StatusReason, since: datetime | None) -> Finding:
    name = ObjectName("Pod", pod.metadata.name)
    return Finding(cause, name, reason.field_path, reason.message, since or pod.metadata.creation_timestamp)


def _unschedulable_since(pod: Pod) -> datetime | None:
    unscheduled = (each for each in pod.status.conditions if each.type == "PodScheduled" and each.status == "False")
    return next((condition.last_transition_time for condition in unscheduled), None)


def _finished_at(pod: Pod) -> datetime | None:
    ends = (status.state.terminated for status in pod.status.container_statuses)
    return max((end.finished_at for end in ends if end and end.finished_at), default=None)
