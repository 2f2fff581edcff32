"""The causes that the status and the events of a Job show, and of its pods that are gone or ending."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from chalicelib.domain.diagnosis import messages
from chalicelib.domain.diagnosis.finding import Finding
from chalicelib.domain.diagnosis.pod_causes import failed_pod_finding
from chalicelib.domain.job.event_list import ObjectName
from chalicelib.domain.job.status import assess, missing_pods
from chalicelib.domain.job.status_reason import disruption, first_failure
from chalicelib.domain.kubernetes.jobs import QUEUE_LABEL
from chalicelib.domain.manifest.multi_node import is_incomplete

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chalicelib.domain.diagnosis.causes import Cause
    from chalicelib.domain.kubernetes.events import Event
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import Pod

DISRUPTION_CAUSES: dict[str, Cause] = {"Preempted": "Preempted", "NodeLost": "NodeLost", "Evicted": "Evicted"}
NODE_LOST_EVENTS = frozenset({"NodeNotReady", "TaintManagerEviction"})
PROMPT_END = timedelta(minutes=2)
"""A pod disappears within this time after its deletionTimestamp, the end of its grace period, if its node works."""
_RETRIED_REMEDY = "Wait: the cluster retries; if it lasts, ask your platform engineers."


def suspended_finding(job: Job, events: Sequence[Event]) -> Finding:
    """Return why *job* is suspended: by its creation, its queue, Kueue, or a user."""
    condition = next((each for each in job.status.conditions if each.type == "Suspended" and each.is_true), None)
    since = condition.last_transition_time if condition else None
    if is_incomplete(job):
        return of_job("Incomplete", job, "metadata.annotations", "The Job has no Service yet.", since)
    if queue := job.metadata.labels.get(QUEUE_LABEL):
        return of_job("QueueWaiting", job, "spec.suspend", f"The queue {queue} has not admitted the Job.", since)
    if any(_is_from_kueue(event) for event in events):
        return of_job("QueueRequired", job, "spec.suspend", "Kueue holds the Job, which names no queue.", since)
    return of_job("Suspended", job, "spec.suspend", "The Job is suspended.", since)


def failure_finding(job: Job, pods: Sequence[Pod], events: Sequence[Event]) -> Finding | None:
    """Return the failure of the pod that explains that of *job*, or the preemption of one that is gone, or None."""
    pod = first_failure(job, pods)
    return (failed_pod_finding(job, pod) if pod else None) or preemption_finding(pods, events)


def preemption_finding(pods: Sequence[Pod], events: Sequence[Event]) -> Finding | None:
    """Return the finding for the last preempted pod: the pod was deleted, but its event still exists."""
    live = {pod.metadata.uid for pod in pods if pod.is_active}
    preempted = [event for event in events if event.reason == "Preempted" and event.involved_object.uid not in live]
    last = max(preempted, key=lambda event: event.last_seen, default=None)
    if last is None:
        return None
    name = ObjectName(last.involved_object.kind, last.involved_object.name)
    return Finding("Preempted", name, "event Preempted", last.message or "", last.last_seen)


def not_created_finding(job: Job, events: Sequence[Event]) -> Finding | None:
    """Return why the API server refused the last pod of *job*, or None if it has all of its pods."""
    own = [event for event in events if event.involved_object.kind == "Job"]
    attempts = [event for event in own if event.reason in ("FailedCreate", "SuccessfulCreate")]
    last = max(attempts, key=lambda event: event.last_seen, default=None)
    if last is None or last.reason == "SuccessfulCreate" or not missing_pods(job):
        return None
    cause = messages.creation_cause(last.message or "")
    since = min(event.first_seen for event in attempts if event.reason == "FailedCreate")
    remedy = _RETRIED_REMEDY if cause == "Starting" else ""
    name = ObjectName("Job", job.metadata.name)
    return Finding(cause, name, "event FailedCreate", last.message or "", since, remedy)


def without_active_pods_finding(
    job: Job, pods: Sequence[Pod], events: Sequence[Event], now: datetime | None
) -> Finding:
    """Return why *job* has no active pods: they are ending, were refused, have failed, or are about to be created."""
    if job.spec.parallelism == 0:
        message, remedy = "Its parallelism is 0.", "Increase the Job's parallelism, or delete the Job."
        name = ObjectName("Job", job.metadata.name)
        return Finding("Suspended", name, "spec.parallelism", message, job.status.start_time, remedy)
    ending = [pod for pod in pods if pod.is_ending]
    if ending:
        return ending_finding(ending, events, now)
    if not_created := not_created_finding(job, events):
        return not_created
    if job.status.failed and (failure := failure_finding(job, pods, events)):
        return failure
    if preempted := preemption_finding(pods, events):
        return preempted
    reason = assess(job, pods).reason
    since = job.status.start_time or job.metadata.creation_timestamp
    message = reason.message if reason and reason.reason != "PodsNotCreated" else "Its pods are being created."
    return of_job("Starting", job, "status", message, since)


def ending_finding(ending: Sequence[Pod], events: Sequence[Event], now: datetime | None) -> Finding:
    """Return why the replacement of a pod waits: a pod on a lost node does not end before the node is removed."""
    for pod in ending:
        why = disruption(pod)
        if why:
            return of_pod(DISRUPTION_CAUSES[why.reason], pod, why.field_path, why.message, why.since)
    if preempted := preemption_finding(ending, events):
        return preempted
    lost = {event.involved_object.uid: event for event in events if event.reason in NODE_LOST_EVENTS}
    for pod in ending:
        deadline = pod.metadata.deletion_timestamp
        event = lost.get(pod.metadata.uid)
        overdue = now is not None and deadline is not None and now - deadline > PROMPT_END
        if event or overdue:
            message = (event.message or "") if event else "The pod should have ended: its node does not respond."
            return of_pod("NodeLost", pod, "metadata.deletionTimestamp", message, deadline)
    message = "The pod is still terminating; its replacement is created when it has ended."
    return of_pod("Starting", ending[0], "metadata.deletionTimestamp", message, ending[0].metadata.deletion_timestamp)


def of_job(cause: Cause, job: Job, field_path: str, message: str, since: datetime | None) -> Finding:
    """Return a finding whose evidence is a field of the Job."""
    return Finding(cause, ObjectName("Job", job.metadata.name), field_path, message, since)


def of_pod(cause: Cause, pod: Pod, field_path: str, message: str, since: datetime | None) -> Finding:
    """Return a finding whose evidence is a field of the pod."""
    name = ObjectName("Pod", pod.metadata.name)
    return Finding(cause, name, field_path, message, since or pod.metadata.creation_timestamp)


def _is_from_kueue(event: Event) -> bool:
    return any("kueue" in component.lower() for component in event.components) or event.reason == "CreatedWorkload"
