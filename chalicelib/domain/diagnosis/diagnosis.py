"""Why a Job is where it is: one cause, the evidence, the remedy. Total: however odd the Job, there is a diagnosis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.domain.diagnosis.causes import REMEDIES, Cause, Finding
from chalicelib.domain.diagnosis.pod_causes import end_finding, wait_finding
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
    """What a diagnosis rests on: an object, the field there, and what that says."""

    object: ObjectName
    field: str
    message: str


class Diagnosis(msgspec.Struct, frozen=True):
    """Why a Job is where it is. `since` is milliseconds since 1970, or null where the cluster does not say."""

    project: str
    name: str
    cause: Cause
    evidence: Evidence
    remedy: Annotated[str, msgspec.Meta(description="What to do, in one sentence.")]
    since: Milliseconds | None


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
    """The diagnosis of *job* in *project*; *pods* are its own, *events* those about it and them."""
    found = _finding(job, pods, events)
    evidence = Evidence(found.about, found.place, found.message[:MAX_MESSAGE])
    since = milliseconds(found.since)
    return Diagnosis(project, job.metadata.name, found.cause, evidence, REMEDIES[found.cause], since)


def _finding(job: Job, pods: Sequence[Pod], events: Sequence[Event]) -> Finding:
    """The strongest fact: deleted, ended, suspended, then what the pods do, and at last why there are none."""
    if job.metadata.deletion_timestamp:
        message = "The Job is being deleted."
        return _of_job("Terminating", job, "metadata.deletionTimestamp", message, job.metadata.deletion_timestamp)
    if end := job.finished:
        return _ended(job, end, pods, events)
    if job.spec.suspend:
        return _suspended(job)
    live = [pod for pod in pods if not pod.metadata.deletion_timestamp]
    return _of_live_pods(job, live, events) or _without_pods(job, pods, events)


def _ended(job: Job, end: Condition, pods: Sequence[Pod], events: Sequence[Event]) -> Finding:
    message = end.message or end.reason or end.type
    if end.type == "Complete":
        return _of_job("Succeeded", job, "status.conditions[Complete]", message, job.finished_at)
    late = end.reason == "DeadlineExceeded"
    pod_end = None if late else _last_end(pods, events)
    cause: Cause = "DeadlineExceeded" if late else "Unknown"
    return pod_end or _of_job(cause, job, "status.conditions[Failed]", message, end.last_transition_time)


def _suspended(job: Job) -> Finding:
    says = next((one for one in job.status.conditions if one.type == "Suspended" and one.holds), None)
    since = says.last_transition_time if says else None
    if queue := job.metadata.labels.get(QUEUE_LABEL):
        return _of_job("QueueWaiting", job, "spec.suspend", f"The queue {queue} has not admitted the Job.", since)
    return _of_job("Suspended", job, "spec.suspend", "The Job is suspended.", since)


def _of_live_pods(job: Job, pods: Sequence[Pod], events: Sequence[Event]) -> Finding | None:
    running = [pod for pod in pods if pod.status.phase == "Running"]
    if running:
        return next((lost for pod in running if (lost := _node_lost(pod, events))), None) or _running(running[0])
    if not pods and job.status.ready:
        return _of_job("Running", job, "status.ready", f"{job.status.ready} pods run.", job.status.start_time)
    waits = [found for pod in pods if (found := wait_finding(pod, events))]
    if waits:
        taken = _preemption(pods, events) if waits[0].cause == "UnschedulableResources" else None
        return taken or waits[0]
    if unknown := [pod for pod in pods if pod.status.phase == "Unknown"]:
        return _of_pod("NodeLost", unknown[0], "status.phase", "Unknown", unknown[0].status.start_time)
    if pending := [pod for pod in pods if pod.status.phase == "Pending"]:
        where = pending[0].spec.node_name
        message = f"Its container is being made on {where}." if where else "It is being scheduled."
        return _of_pod("Starting", pending[0], "status.phase", message, pending[0].status.start_time)
    return None


def _node_lost(pod: Pod, events: Sequence[Event]) -> Finding | None:
    """The pod of a node that does not answer runs as far as anybody knows, but is not ready any more."""
    ready = next((one for one in pod.status.conditions if one.type == "Ready"), None)
    told = [one for one in events if one.reason == "NodeNotReady" and one.involved_object.uid == pod.metadata.uid]
    if ready is None or ready.status == "True" or not told:
        return None
    return _of_pod("NodeLost", pod, "status.conditions[Ready]", told[-1].message or "", ready.last_transition_time)


def _running(pod: Pod) -> Finding:
    starts = [one.state.running.started_at for one in pod.status.container_statuses if one.state.running]
    since = next((start for start in starts if start), pod.status.start_time)
    return _of_pod("Running", pod, "status.phase", f"It runs on {pod.spec.node_name or 'a node'}.", since)


def _without_pods(job: Job, pods: Sequence[Pod], events: Sequence[Event]) -> Finding:
    if refused := _not_created(job, events):
        return refused
    if job.status.failed and (end := _last_end(pods, events)):
        return end
    reason = reason_of(job, pods)
    if reason is None or reason.word == "Retrying":
        message = reason.message if reason else "Its pods are being made."
        return _of_job("Starting", job, "status", message, job.status.start_time or job.metadata.creation_timestamp)
    return _of_job("Unknown", job, "status.active", reason.message, job.status.start_time)


def _not_created(job: Job, events: Sequence[Event]) -> Finding | None:
    """What the cluster said when it refused the last pod."""
    own = [event for event in events if event.involved_object.kind == "Job"]
    tries = [event for event in own if event.reason in ("FailedCreate", "SuccessfulCreate")]
    last = max(tries, key=lambda event: event.last_seen, default=None)
    if last is None or last.reason == "SuccessfulCreate" or job.status.active:
        return None
    message = last.message or ""
    cause: Cause = "NoPodsQuota" if "exceeded quota" in message else "NoPodsAdmission"
    since = min(event.first_seen for event in tries if event.reason == "FailedCreate")
    return _of_job(cause, job, "event FailedCreate", message, since)


def _last_end(pods: Sequence[Pod], events: Sequence[Event]) -> Finding | None:
    last = last_failed(pods)
    return (end_finding(last) if last else None) or _preemption(pods, events)


def _preemption(pods: Sequence[Pod], events: Sequence[Event]) -> Finding | None:
    """The last pod that had to go for another: it is gone, but its event is not."""
    there = {pod.metadata.uid for pod in pods if not pod.metadata.deletion_timestamp}
    told = [one for one in events if one.reason == "Preempted" and one.involved_object.uid not in there]
    last = max(told, key=lambda event: event.last_seen, default=None)
    if last is None:
        return None
    about = ObjectName(last.involved_object.kind, last.involved_object.name)
    return Finding("Preempted", about, "event Preempted", last.message or "", last.last_seen)


def _of_job(cause: Cause, job: Job, place: str, message: str, since: datetime | None) -> Finding:
    return Finding(cause, ObjectName("Job", job.metadata.name), place, message, since)


def _of_pod(cause: Cause, pod: Pod, place: str, message: str, since: datetime | None) -> Finding:
    return Finding(
        cause, ObjectName("Pod", pod.metadata.name), place, message, since or pod.metadata.creation_timestamp
    )
