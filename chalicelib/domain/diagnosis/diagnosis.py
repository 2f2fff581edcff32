"""Diagnose a Job: report one cause of its current state, the evidence and the remedy.

The first of these that applies decides: deletion, the end of the Job, its suspension, the state of its pods, and last
the reason why it has no pods. Every Job that can be read has a diagnosis, whatever its fields contain.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.domain.diagnosis.causes import EXPLANATIONS, Cause
from chalicelib.domain.diagnosis.finding import remedy_of
from chalicelib.domain.diagnosis.job_causes import (
    ending_finding,
    failure_finding,
    not_created_finding,
    of_job,
    of_pod,
    preemption_finding,
    suspended_finding,
    without_active_pods_finding,
)
from chalicelib.domain.diagnosis.pod_causes import active_pod_finding
from chalicelib.domain.job.containers import is_running
from chalicelib.domain.job.event_list import ObjectName  # noqa: TC001 - msgspec reads the annotations at run time
from chalicelib.domain.job.outcome import outcome
from chalicelib.domain.job.outcome_record import ExitCode  # noqa: TC001 - msgspec reads the annotations at run time
from chalicelib.domain.job.status import assess
from chalicelib.domain.job.status_reason import MAX_MESSAGE
from chalicelib.domain.job.view import Milliseconds, milliseconds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chalicelib.domain.diagnosis.finding import Finding
    from chalicelib.domain.kubernetes.events import Event
    from chalicelib.domain.kubernetes.jobs import Condition, Job
    from chalicelib.domain.kubernetes.pods import Pod

NORMAL_START = timedelta(minutes=10)
"""A Job that starts for longer than this does not start normally, even if nothing reports an error."""
URGENCY: tuple[Cause, ...] = (
    "NodeLost",
    "OutOfMemory",
    "ExitCode",
    "CannotStart",
    "ConfigMissing",
    "ImageNotFound",
    "ImageUnauthorized",
    "ImageUnavailable",
    "VolumeUnavailable",
    "Evicted",
    "Preempted",
    "DeadlineExceeded",
    "UnschedulableSelector",
    "UnschedulableTaint",
    "UnschedulableResources",
    "QueueWaiting",
    "Unknown",
)
"""Causes of active pods: if pods have different ones, the first of these is reported."""


class Evidence(msgspec.Struct, frozen=True):
    """The evidence for a diagnosis: an object, the field that shows the cause, and its message."""

    object: Annotated[ObjectName, msgspec.Meta(description="The Job or one of its pods.")]
    field: Annotated[str, msgspec.Meta(description="The field of the object that shows the cause.")]
    message: Annotated[str, msgspec.Meta(description="The message of the cluster.")]


class Diagnosis(msgspec.Struct, frozen=True, rename="camel"):
    """The cause of a Job's current state. `since` is in milliseconds since 1970, or null if it is not known."""

    project: Annotated[str, msgspec.Meta(description="The Project of the Job.")]
    name: Annotated[str, msgspec.Meta(description="The name of the Job.")]
    cause: Annotated[Cause, msgspec.Meta(description="The cause.")]
    evidence: Annotated[Evidence, msgspec.Meta(description="What shows the cause.")]
    remedy: Annotated[str, msgspec.Meta(description="What to do, in one sentence.")]
    since: Annotated[Milliseconds | None, msgspec.Meta(description="When this state began.")]
    exit_code: Annotated[
        ExitCode | None,
        msgspec.Meta(description="The exit code of the container that decided its end, or null if it is not known."),
    ]
    failed_pod: Annotated[str | None, msgspec.Meta(description="The pod that decided its failure, or null.")]


DIAGNOSIS_EXAMPLE = {
    "project": "team-a",
    "name": "train-1",
    "cause": "UnschedulableResources",
    "evidence": {
        "object": {"kind": "Pod", "name": "train-1-x7k2p"},
        "field": "status.conditions[PodScheduled]",
        "message": "0/4 nodes are available: 4 Insufficient nvidia.com/gpu.",
    },
    "remedy": EXPLANATIONS["UnschedulableResources"].remedy,
    "since": 1795510801000,
    "exitCode": None,
    "failedPod": None,
}


def diagnose(
    project: str, job: Job, pods: Sequence[Pod], events: Sequence[Event], now: datetime | None = None
) -> Diagnosis:
    """Return the diagnosis of *job*, from the *pods* that it owns and the *events* about the Job and its pods.

    A Job that has been starting for long at the time *now* is not starting normally any more; without *now*, durations
    are not taken into account.
    """
    finding = _overdue(_finding(job, pods, events, now), job, pods, now)
    evidence = Evidence(finding.object, finding.field_path, finding.message[:MAX_MESSAGE])
    remedy = remedy_of(finding, has_ended=bool(job.finished or job.ending))
    subject = (project, job.metadata.name, finding.cause, evidence, remedy, milliseconds(finding.since))
    return Diagnosis(*subject, *outcome(job, pods))


def _finding(job: Job, pods: Sequence[Pod], events: Sequence[Event], now: datetime | None) -> Finding:
    if job.metadata.deletion_timestamp:
        message = "The Job is being deleted."
        return of_job("Terminating", job, "metadata.deletionTimestamp", message, job.metadata.deletion_timestamp)
    if decision := job.finished or job.ending:
        return _finished(job, decision, pods, events)
    if job.spec.suspend:
        return suspended_finding(job, events)
    active = [pod for pod in pods if pod.is_active]
    found = [finding for pod in active if (finding := active_pod_finding(job, pod, events))]
    worst = min(found, key=lambda finding: URGENCY.index(finding.cause), default=None)
    if worst:
        preempted = preemption_finding(pods, events) if worst.cause == "UnschedulableResources" else None
        return preempted or worst
    if active or job.status.ready:
        return not_created_finding(job, events) or _healthy(job, pods, events, now)
    return without_active_pods_finding(job, pods, events, now)


def _finished(job: Job, decision: Condition, pods: Sequence[Pod], events: Sequence[Event]) -> Finding:
    message = decision.message or decision.reason or decision.type
    path, since = f"status.conditions[{decision.type}]", decision.last_transition_time
    if decision.type in ("Complete", "SuccessCriteriaMet"):
        return of_job("Succeeded", job, path, message, job.finished_at or since)
    if decision.reason == "DeadlineExceeded":
        return of_job("DeadlineExceeded", job, path, message, since)
    return failure_finding(job, pods, events) or of_job("Unknown", job, path, message, since)


def _healthy(job: Job, pods: Sequence[Pod], events: Sequence[Event], now: datetime | None) -> Finding:
    """Return the finding for a Job whose active pods all run or start normally."""
    if assess(job, pods).status == "Running":
        return _running(job, pods)
    starting = [pod for pod in pods if pod.is_active and not is_running(job, pod)]
    ending = [pod for pod in pods if pod.is_ending]
    if ending and not starting:
        return ending_finding(ending, events, now)
    if not starting:
        message = "Some of its pods do not exist yet."
        return of_job("Starting", job, "spec.completions", message, job.status.start_time)
    pod = starting[0]
    node = pod.spec.node_name
    message = f"Its container is being created on {node}." if node else "It is being scheduled."
    return of_pod("Starting", pod, "status.phase", message, pod.status.start_time)


def _running(job: Job, pods: Sequence[Pod]) -> Finding:
    running = next((pod for pod in pods if is_running(job, pod)), None)
    if running is None:
        message = f"{job.status.ready} pods are running."
        return of_job("Running", job, "status.ready", message, job.status.start_time)
    states = (status.state.running for status in running.status.container_statuses)
    since = next((state.started_at for state in states if state and state.started_at), running.status.start_time)
    message = f"It is running on {running.spec.node_name or 'a node'}."
    return of_pod("Running", running, "status.phase", message, since)


def _overdue(finding: Finding, job: Job, pods: Sequence[Pod], now: datetime | None) -> Finding:
    """Return `Unknown` in place of `Starting` when the Job has been starting for longer than a normal start takes.

    As long as no pod has run, a new pod in place of another one does not make it a new start.
    """
    has_run = job.status.succeeded or job.status.failed or any(pod.status.phase != "Pending" for pod in pods)
    begun = (None if has_run else job.status.start_time) or finding.since or job.metadata.creation_timestamp
    since = min(begun, finding.since or begun) if begun else None
    if finding.cause != "Starting" or now is None or since is None or now - since < NORMAL_START:
        return finding
    minutes = int((now - since).total_seconds() // 60)
    message = f"{finding.message} That has been so for {minutes} minutes."
    return msgspec.structs.replace(finding, cause="Unknown", message=message)
