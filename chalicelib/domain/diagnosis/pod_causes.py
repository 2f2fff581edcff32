"""The causes that the status and the events of a pod show: why it is waiting, or why it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.diagnosis import messages
from chalicelib.domain.diagnosis.autoscaler import is_adding_node
from chalicelib.domain.diagnosis.exit_codes import exit_code_remedy
from chalicelib.domain.diagnosis.finding import Finding
from chalicelib.domain.job.containers import blocking_statuses
from chalicelib.domain.job.event_list import ObjectName
from chalicelib.domain.job.status import trouble
from chalicelib.domain.job.status_reason import MAX_MESSAGE, StatusReason, exit_reason, reason, termination_reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.diagnosis.causes import Cause
    from chalicelib.domain.kubernetes.events import Event
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import Pod

IMAGE_PULL_REASONS = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"})
WAITING_CAUSES: dict[str, Cause] = {
    # Reasons of waiting containers and pods (kubelet, pkg/kubelet/images and pkg/kubelet/container).
    "InvalidImageName": "ImageNotFound",
    "ErrImageNeverPull": "ImageNotFound",
    "SignatureValidationFailed": "ImageUnauthorized",
    "ImageInspectError": "NodeLost",
    "PreStartHookError": "CannotStart",
    "PreCreateHookError": "CannotStart",
    "PostStartHookError": "CannotStart",
    "SchedulingGated": "QueueWaiting",
}
"""The cause of each reason of a pod that waits, if it has exactly one."""
END_CAUSES: dict[str, Cause] = {
    # Reasons of containers that ended.
    "OOMKilled": "OutOfMemory",
    "StartError": "CannotStart",
    "ContainerCannotRun": "CannotStart",
    "Error": "ExitCode",
    "ContainerStatusUnknown": "NodeLost",
    # Reasons of pods that ended (kubelet, pkg/kubelet/lifecycle and pkg/kubelet/eviction).
    "Evicted": "Evicted",
    "Preempted": "Preempted",
    "Preempting": "Preempted",
    "DeadlineExceeded": "DeadlineExceeded",
    "NodeLost": "NodeLost",
    "NodeShutdown": "NodeLost",
    "Shutdown": "NodeLost",
    "Terminated": "NodeLost",
    "UnexpectedAdmissionError": "UnschedulableResources",
    "TopologyAffinityError": "UnschedulableResources",
    "VolumeAttachmentLimitExceeded": "UnschedulableResources",
    "NodeAffinity": "UnschedulableSelector",
}
"""The cause of each reason of a pod or a container that ended, or that the cluster terminates."""
OUT_OF = "OutOf"
"""Prefix of the kubelet's reasons for a pod that does not fit the node, such as `OutOfnvidia.com/gpu`."""
_CAUSES_BY_MESSAGE = {
    "CreateContainerConfigError": messages.configuration_cause,
    "CreateContainerError": messages.start_cause,
    "RunContainerError": messages.start_cause,
}
_MOUNT_FAILURES = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume"})
_SANDBOX_FAILURES = frozenset({"FailedCreatePodSandBox", "NetworkNotReady", "FailedPrepareDynamicResources"})
_SANDBOX_REMEDY = (
    "Wait: the node retries; if it lasts, ask your platform engineers why the node cannot set up the pod's network or"
    " devices."
)
_SCALING_REMEDY = "Wait: the cluster is adding a node for the pod, which takes some minutes."
_SIDECAR_REMEDY = (
    "Delete the Job when you have its results, and ask your platform engineers not to inject this container into Jobs:"
    " it keeps the pod running."
)
_TOO_LARGE_REMEDY = (
    "Submit the Job again with lower requests for each pod: no node is large enough, even without other workloads."
)


def active_pod_finding(job: Job, pod: Pod, events: Sequence[Event]) -> Finding | None:
    """Return why *pod*, which is active, does not run as it should, or None."""
    own = [event for event in events if event.involved_object.uid == pod.metadata.uid]
    if lost := _lost_node(pod, own):
        return lost
    why = trouble(job, pod)
    if why is None:
        return _event_finding(pod, own)
    if why.reason == "CrashLoopBackOff":
        return _crash(job, pod) or _finding("ExitCode", pod, why)
    return _waiting(pod, why, own)


def failed_pod_finding(job: Job, pod: Pod) -> Finding | None:
    """Return why *pod* failed, or None if its status does not show it."""
    why = termination_reason(job, pod)
    return _ended(pod, why) if why else None


def _lost_node(pod: Pod, events: Sequence[Event]) -> Finding | None:
    """Return the finding for a pod whose node is not ready: the pod keeps the phase Running, but is not ready."""
    ready = pod.condition("Ready")
    not_ready = [event for event in events if event.reason in ("NodeNotReady", "TaintManagerEviction")]
    if ready is None or ready.is_true or not not_ready:
        return None
    message = not_ready[-1].message or ""
    return _finding(
        "NodeLost", pod, reason("NodeNotReady", message, "status.conditions[Ready]", ready.last_transition_time)
    )


def _waiting(pod: Pod, why: StatusReason, events: Sequence[Event]) -> Finding:
    """Return the finding for a pod that waits; older kubelets report why an image pull failed only in events."""
    if why.reason in IMAGE_PULL_REASONS:
        failures = [event.message or "" for event in events if event.reason == "Failed"]
        found = ((messages.registry_cause(text), text) for text in (why.full_message, *failures))
        cause, message = next(((each, text) for each, text in found if each), ("ImageUnavailable", why.message))
        return _finding(cause, pod, why, message)
    if why.reason in ("Unschedulable", "SchedulerError"):
        return _unschedulable(pod, why, events)
    if why.reason == "SidecarRunning":
        return _finding("Unknown", pod, why, remedy=_SIDECAR_REMEDY)
    by_message, by_reason = _CAUSES_BY_MESSAGE.get(why.reason), WAITING_CAUSES.get(why.reason)
    known = by_message(why.full_message) if by_message else by_reason
    return _finding(known, pod, why) if known else _ended(pod, why)


def _unschedulable(pod: Pod, why: StatusReason, events: Sequence[Event]) -> Finding:
    """Return the finding for a pod without a node; while one is being added, the labels of the others do not matter."""
    cause = messages.scheduler_cause(why.full_message)
    if cause != "VolumeUnavailable" and is_adding_node(events):
        return _finding("UnschedulableResources", pod, why, remedy=_SCALING_REMEDY)
    remedy = _TOO_LARGE_REMEDY if messages.is_larger_than_nodes(why.full_message) else ""
    return _finding(cause, pod, why, remedy=remedy)


def _ended(pod: Pod, why: StatusReason) -> Finding:
    """Return the finding for a pod that failed by *why*."""
    cause = END_CAUSES.get(why.reason)
    if cause is None and why.reason.startswith(OUT_OF):
        cause = "UnschedulableResources"
    if cause is None:
        cause = "ExitCode" if "terminated" in why.field_path else "Unknown"
    message = why.message
    if cause == "CannotStart":
        message = _with_runtime_message(pod, message)
        cause = messages.start_cause(message)
        message = message[:MAX_MESSAGE]
    remedy = exit_code_remedy(why) if cause == "ExitCode" else ""
    return _finding(cause, pod, why, message, remedy=remedy)


def _event_finding(pod: Pod, events: Sequence[Event]) -> Finding | None:
    """Return the finding for a pod that starts on a node, but whose network or volumes only events complain about."""
    if pod.status.phase != "Pending":
        return None
    failed = [event for event in events if event.reason in _MOUNT_FAILURES | _SANDBOX_FAILURES]
    last = max(failed, key=lambda event: event.last_seen, default=None)
    if last is None:
        return None
    text, since = (last.message or "")[:MAX_MESSAGE], min(event.first_seen for event in failed)
    why = reason(last.reason or "", text, f"event {last.reason}", since)
    if last.reason in _SANDBOX_FAILURES:
        return _finding("Unknown", pod, why, remedy=_SANDBOX_REMEDY)
    return _finding(messages.mount_cause(text), pod, why)


def _crash(job: Job, pod: Pod) -> Finding | None:
    """Return why the last run of a restarting container failed."""
    for path, status in blocking_statuses(job, pod):
        end = status.last_state.terminated
        if end and end.exit_code:
            return _ended(pod, exit_reason(end, f"{path}[{status.name}].lastState.terminated"))
    return None


def _with_runtime_message(pod: Pod, message: str) -> str:
    """Append the container's message if no program ran: otherwise it may be the end of the program's log."""
    ends = (status.state.terminated for status in pod.status.container_statuses)
    runtime_message = next((end.message for end in ends if end and end.exit_code and end.message), "")
    return f"{message} {runtime_message}".strip()


def _finding(cause: Cause, pod: Pod, why: StatusReason, message: str = "", *, remedy: str = "") -> Finding:
    since = why.since or pod.status.start_time or pod.metadata.creation_timestamp
    text = message or why.message or why.reason
    return Finding(cause, ObjectName("Pod", pod.metadata.name), why.field_path, text, since, remedy)
