"""Diagnose a Job: report one cause of its current state, the evidence and the remedy.

The first of these that applies decides: deletion, the end of the Job, its suspension, the state of its pods, and last
the reason why it has no pods. Every Job that can be read has a diagnosis, whatever its fields contain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.domain.diagnosis.causes import REMEDIES, Cause, Finding
from chalicelib.domain.diagnosis.pod_causes import failure_finding, waiting_finding
from chalicelib.domain.job.event_list import ObjectName
from chalicelib.domain.job.status_reason import MAX_MESSAGE, last_failed, reason_of
from chalicelib.domain.job.view import Milliseconds, milliseconds
from chalicelib.domain.kubernetes.jobs import QUEUE_LABEL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chalicelib.domain.kubernetes.events import Event
    from chalicelib.domain.kubernetes.jobs import Condition, Job
    from chalicelib.domain.kubernetes.pods import Pod


class Evidence(msgspec.Struct, frozen=True):
    """The evidence for a diagnosis: an object, the field that shows the cause, and its message."""

    object: Annotated[ObjectName, msgspec.Meta(description="The Job or one of its pods.")]
    field: Annotated[str, msgspec.Meta(description="The field of the object that shows the cause.")]
    message: Annotated[str, msgspec.Meta(description="The message of the cluster.")]


class Diagnosis(msgspec.Struct, frozen=True):
    """The cause of a Job's current state. `since` is in milliseconds since 1970, or null if it is not known."""

    project: Annotated[str, msgspec.Meta(description="The Project of the Job.")]
    name: Annotated[str, msgspec.Meta(description="The name of the Job.")]
    cause: Annotated[Cause, msgspec.Meta(description="The cause.")]
    evidence: Annotated[Evidence, msgspec.Meta(description="What shows the cause.")]
    remedy: Annotated[str, msgspec.Meta(description="What to do, in one sentence.")]
    since: Annotated[Milliseconds | None, msgspec.Meta(description="When this state began.")]


DIAGNOSIS_EXAMPLE = {
    "project": "team-a",
    "name": "train-1",
    "cause": "UnschedulableResources",
    "evidence": {
        "object": {"kind": "Pod", "name": "train-1-x7k2p"},
        "field": "status.conditions[PodScheduled]",
        "message": "0/4 nodes are available: 4 Insufficient nvidia.com/gpu.",
    },
    "remedy": REMEDIES["UnschedulableResources"],
    "since": 1795510801000,
}


def diagnose(project: str, job: Job, pods: Sequence[Pod], events: Sequence[Event]) -> Diagnosis:
    """Return the diagnosis of *job*, from the *pods* that it owns and the *events* about the Job and its pods."""
    finding = _finding(job, pods, events)
    evidence = Evidence(finding.object, finding.field_path, finding.message[:MAX_MESSAGE])
    since = milliseconds(finding.since)
    return Diagnosis(project, job.metadata.name, finding.cause, evidence, REMEDIES[finding.cause], since)


def _finding(job: Job, pods: Sequence[Pod], events: Sequence[Event]) -> Finding:
    if job.metadata.deletion_timestamp:
        message = "The Job is being deleted."
        return _of_job("Terminating", job, "metadata.deletionTimestamp", message, job.metadata.deletion_timestamp)
    if condition := job.finished:
        return _finished(job, condition, pods, events)
    if job.spec.suspend:
        return _suspended(job)
    live = [pod for pod in pods if not pod.metadata.deletion_timestamp]
    return _of_live_pods(job, live, events) or _without_pods(job, pods, events)


def _finished(job: Job, condition: Condition, pods: Sequence[Pod], events: Sequence[Event]) -> Finding:
    message = condition.message or condition.reason or condition.type
    if condition.type == "Complete":
        return _of_job("Succeeded", job, "status.conditions[Complete]", message, job.finished_at)
    timed_out = condition.reason == "DeadlineExceeded"
    pod_failure = None if timed_out else _last_pod_failure(pods, events)
    cause: Cause = "DeadlineExceeded" if timed_out else "Unknown"
    return pod_failure or _of_job(cause, job, "status.conditions[Failed]", message, condition.last_transition_time)


def _suspended(job: Job) -> Finding:
    suspended = (each for each in job.status.conditions if each.type == "Suspended" and each.is_true)
    since = next((condition.last_transition_time for condition in suspended), None)
    if queue := job.metadata.labels.get(QUEUE_LABEL):
        return _of_job("QueueWaiting", job, "spec.suspend", f"The queue {queue} has not admitted the Job.", since)
    return _of_job("Suspended", job, "spec.suspend", "The Job is suspended.", since)


def _of_live_pods(job: Job, pods: Sequence[Pod], events: Sequence[Event]) -> Finding | None:
    running = [pod for pod in pods if pod.status.phase == "Running"]
    if running:
        return next((lost for pod in running if (lost := _node_lost(pod, events))), None) or _running(running[0])
    if not pods and job.status.ready:
        return _of_job("Running", job, "status.ready", f"{job.status.ready} pods are running.", job.status.start_time)
    waiting = [finding for pod in pods if (finding := waiting_finding(pod, events))]
    if waiting:
        preemption = _preemption(pods, events) if waiting[0].cause == "UnschedulableResources" else None
        return preemption or waiting[0]
    if unknown := [pod for pod in pods if pod.status.phase == "Unknown"]:
        return _of_pod("NodeLost", unknown[0], "status.phase", "Unknown", unknown[0].status.start_time)
    if pending := [pod for pod in pods if pod.status.phase == "Pending"]:
        node = pending[0].spec.node_name
        message = f"Its container is being created on {node}." if node else "It is being scheduled."
        return _of_pod("Starting", pending[0], "status.phase", message, pending[0].status.start_time)
    return None


def _node_lost(pod: Pod, events: Sequence[Event]) -> Finding | None:
    """Return the finding for a pod whose node is not ready: the pod keeps the phase Running, but is not ready."""
    ready = next((each for each in pod.status.conditions if each.type == "Ready"), None)
    own = [event for event in events if event.involved_object.uid == pod.metadata.uid]
    not_ready = [event for event in own if event.reason == "NodeNotReady"]
    if ready is None or ready.is_true or not not_ready:
        return None
    return _of_pod("NodeLost", pod, "status.conditions[Ready]", not_ready[-1].message or "", ready.last_transition_time)


def _running(pod: Pod) -> Finding:
    running = (status.state.running for status in pod.status.container_statuses)
    starts = [state.started_at for state in running if state]
    since = next((start for start in starts if start), pod.status.start_time)
    return _of_pod("Running", pod, "status.phase", f"It is running on {pod.spec.node_name or 'a node'}.", since)


def _without_pods(job: Job, pods: Sequence[Pod], events: Sequence[Event]) -> Finding:
    if not_created := _not_created(job, events):
        return not_created
    if job.status.failed and (failure := _last_pod_failure(pods, events)):
        return failure
    reason = reason_of(job, pods)
    if reason is None or reason.reason == "Retrying":
        message = reason.message if reason else "Its pods are being created."
        return _of_job("Starting", job, "status", message, job.status.start_time or job.metadata.creation_timestamp)
    return _of_job("Unknown", job, "status.active", reason.message, job.status.start_time)


def _not_created(job: Job, events: Sequence[Event]) -> Finding | None:
    """Return the finding for a Job whose last pod was refused by the API server, or None."""
    own = [event for event in events if event.involved_object.kind == "Job"]
    attempts = [event for event in own if event.reason in ("FailedCreate", "SuccessfulCreate")]
    last = max(attempts, key=lambda event: event.last_seen, default=None)
    if last is None or last.reason == "SuccessfulCreate" or job.status.active:
        return None
    message = last.message or ""
    cause: Cause = "NoPodsQuota" if "exceeded quota" in message else "NoPodsAdmission"
    since = min(event.first_seen for event in attempts if event.reason == "FailedCreate")
    return _of_job(cause, job, "event FailedCreate", message, since)


def _last_pod_failure(pods: Sequence[Pod], events: Sequence[Event]) -> Finding | None:
    last = last_failed(pods)
    return (failure_finding(last) if last else None) or _preemption(pods, events)


def _preemption(pods: Sequence[Pod], events: Sequence[Event]) -> Finding | None:
    """Return the finding for the last preempted pod: the pod was deleted, but its event still exists."""
    live = {pod.metadata.uid for pod in pods if not pod.metadata.deletion_timestamp}
    preempted = [event for event in events if event.reason == "Preempted" and event.involved_object.uid not in live]
    last = max(preempted, key=lambda event: event.last_seen, default=None)
    if last is None:
        return None
    name = ObjectName(last.involved_object.kind, last.involved_object.name)
    return Finding("Preempted", name, "event Preempted", last.message or "", last.last_seen)


def _of_job(cause: Cause, job: Job, field_path: str, message: str, since: datetime | None) -> Finding:
    return Finding(cause, ObjectName("Job", job.metadata.name), field_path, message, since)


def _of_pod(cause: Cause, pod: Pod, field_path: str, message: str, since: datetime | None) -> Finding:
    return Finding(
        cause, ObjectName("Pod", pod.metadata.name), field_path, message, since or pod.metadata.creation_timestamp
    )
