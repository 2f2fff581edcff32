"""What a pod shows of its Job's trouble: why it waits, or how it ended."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chalicelib.domain.diagnosis.causes import Finding
from chalicelib.domain.job.event_list import ObjectName
from chalicelib.domain.job.status_reason import MAX_MESSAGE, StatusReason, end_of, wait_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chalicelib.domain.diagnosis.causes import Cause
    from chalicelib.domain.kubernetes.events import Event
    from chalicelib.domain.kubernetes.pods import Pod

IMAGE_WAITS = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"})
WAITS: dict[str, Cause] = {
    "InvalidImageName": "ImageNotFound",
    "ErrImageNeverPull": "ImageNotFound",
    "CreateContainerConfigError": "ConfigMissing",
    "CreateContainerError": "CannotStart",
    "RunContainerError": "CannotStart",
    "SchedulingGated": "QueueWaiting",
}
"""The cluster's words for a wait that mean one thing only."""
ENDS: dict[str, Cause] = {
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
"""Its words for an end."""
DISRUPTIONS: dict[str, Cause] = {
    "PreemptionByScheduler": "Preempted",
    "DeletionByTaintManager": "NodeLost",
    "DeletionByPodGC": "NodeLost",
    "EvictionByEvictionAPI": "Evicted",
    "TerminationByKubelet": "Evicted",
}
"""Its words, in the condition DisruptionTarget, for who ended a pod that did nothing wrong."""

# In this order: a node that lacks nothing but room is the one to wait for, then one that is only kept for others.
_SCHEDULER: tuple[tuple[str, Cause], ...] = (
    (r"persistentvolumeclaim|PersistentVolume|volume node affinity|max volume count", "VolumeUnavailable"),
    (r"Insufficient |Too many pods", "UnschedulableResources"),
    (r"taint|were unschedulable", "UnschedulableTaint"),
    (r"affinity/selector", "UnschedulableSelector"),
)
# A registry that hides what it has says both; that the image may be there is the better guess.
_REGISTRY: tuple[tuple[str, Cause], ...] = (
    (r"401|403|unauthorized|forbidden|denied|authoriz|authenticat|credential", "ImageUnauthorized"),
    (r"not found|manifest unknown|name unknown|does not exist|404", "ImageNotFound"),
)
_MOUNTS = frozenset({"FailedMount", "FailedAttachVolume"})


def wait_finding(pod: Pod, events: Sequence[Event]) -> Finding | None:
    """Why *pod* does not start, or None where it is on its way."""
    wait = wait_of(pod)
    if wait is None:
        return _mount(pod, events)
    if wait.word == "CrashLoopBackOff":
        return _crash(pod) or _finding("ExitCode", pod, wait, pod.status.start_time)
    cause, message = _cause_of_wait(
        wait, [event.message or "" for event in _of(pod, events) if event.reason == "Failed"]
    )
    told = StatusReason(wait.word, message or wait.word, wait.place)
    return _finding(cause, pod, told, _scheduled(pod) or pod.status.start_time)


def end_finding(pod: Pod) -> Finding | None:
    """How *pod* ended badly, or None where it does not say."""
    end = end_of(pod)
    for condition in pod.status.conditions:
        if condition.type == "DisruptionTarget" and condition.holds and condition.reason in DISRUPTIONS:
            message = (end.message if end else "") or (condition.message or condition.reason)[:MAX_MESSAGE]
            told = StatusReason(condition.reason, message, "status.conditions[DisruptionTarget]")
            return _finding(DISRUPTIONS[condition.reason], pod, told, condition.last_transition_time)
    if end is None:
        return None
    cause = ENDS.get(end.word) or ("ExitCode" if "terminated" in end.place else "Unknown")
    return _finding(cause, pod, _explained(end, pod), _finished_at(pod))


def _cause_of_wait(wait: StatusReason, told: Sequence[str]) -> tuple[Cause, str]:
    """The cause, and the message that says so: older kubelets tell why an image cannot be had in events alone."""
    if wait.word in IMAGE_WAITS:
        for message in (wait.message, *told):
            if cause := _first(_REGISTRY, message):
                return cause, message
        return "ImageUnavailable", wait.message
    if wait.word == "Unschedulable":
        # What follows is about preemption, in words that are also used for why a node is not fit.
        return _first(_SCHEDULER, wait.message.partition("preemption:")[0]) or "Unknown", wait.message
    return WAITS.get(wait.word, "Unknown"), wait.message


def _first(patterns: Sequence[tuple[str, Cause]], text: str) -> Cause | None:
    return next((cause for pattern, cause in patterns if re.search(pattern, text, re.IGNORECASE)), None)


def _mount(pod: Pod, events: Sequence[Event]) -> Finding | None:
    """A volume that does not come holds up a pod that says nothing itself."""
    failed = [event for event in _of(pod, events) if event.reason in _MOUNTS]
    if not failed or pod.status.phase != "Pending":
        return None
    last = max(failed, key=lambda event: event.last_seen)
    told = StatusReason("FailedMount", (last.message or "")[:MAX_MESSAGE], f"event {last.reason}")
    return _finding("VolumeUnavailable", pod, told, min(event.first_seen for event in failed))


def _crash(pod: Pod) -> Finding | None:
    """How the container ended that is started again and again."""
    for status in pod.status.container_statuses:
        end = status.last_state.terminated
        if end and end.exit_code:
            place = f"status.containerStatuses[{status.name}].lastState.terminated"
            told = StatusReason(end.reason or "Error", f"The container ended with exit code {end.exit_code}.", place)
            return _finding(ENDS.get(told.word, "ExitCode"), pod, told, end.finished_at)
    return None


def _explained(end: StatusReason, pod: Pod) -> StatusReason:
    """With the runtime's words where no program ran that could have written them."""
    if ENDS.get(end.word) != "CannotStart":
        return end
    ends = (status.state.terminated for status in pod.status.container_statuses)
    said = next((one.message for one in ends if one and one.exit_code and one.message), "")
    return StatusReason(end.word, f"{end.message} {said}".strip()[:MAX_MESSAGE], end.place)


def _of(pod: Pod, events: Sequence[Event]) -> list[Event]:
    return [event for event in events if event.involved_object.uid == pod.metadata.uid]


def _finding(cause: Cause, pod: Pod, told: StatusReason, since: datetime | None) -> Finding:
    about = ObjectName("Pod", pod.metadata.name)
    return Finding(cause, about, told.place, told.message, since or pod.metadata.creation_timestamp)


def _scheduled(pod: Pod) -> datetime | None:
    """Since when no node takes the pod."""
    waits = (one for one in pod.status.conditions if one.type == "PodScheduled" and one.status == "False")
    return next((condition.last_transition_time for condition in waits), None)


def _finished_at(pod: Pod) -> datetime | None:
    ends = (status.state.terminated for status in pod.status.container_statuses)
    return max((end.finished_at for end in ends if end and end.finished_at), default=None)
