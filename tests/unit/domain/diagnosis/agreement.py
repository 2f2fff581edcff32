"""What view, diagnosis, events, logs, Receipt and announcement of the same objects must agree about."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, cast, get_args

import msgspec

from chalicelib.domain.diagnosis.causes import Cause
from chalicelib.domain.diagnosis.diagnosis import Diagnosis, diagnose
from chalicelib.domain.errors import JobNotStarted, LogGone
from chalicelib.domain.finished.announcement import build_announcement
from chalicelib.domain.finished.receipt import build_receipt, logged_container
from chalicelib.domain.job.containers import is_running
from chalicelib.domain.job.event_list import aggregate_events
from chalicelib.domain.job.log_query import LogQuery
from chalicelib.domain.job.logs import select_attempt
from chalicelib.domain.job.status import OWN_REASONS
from chalicelib.domain.job.view import JobView, view
from tests.support.builders import TEAM_A

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from chalicelib.domain.job.status import Status
    from chalicelib.domain.kubernetes.events import Event
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import Pod

DEFAULTS = {"Error", "Failed", "Unschedulable"}
"""Reasons of the cluster that are used where it gives none."""
FINE: set[Cause] = {"Starting", "Running", "Succeeded"}
"""Causes which mean that nothing is wrong."""
OF_JOBS: set[Cause] = {"Succeeded", "Terminating", "Suspended", "Incomplete", "QueueRequired", "Running"}
NOT_CREATED: set[Cause] = {"NoPodsQuota", "NoPodsAdmission"}
OF_ENDS: set[Cause] = {
    "OutOfMemory",
    "ExitCode",
    "CannotStart",
    "DeadlineExceeded",
    "Evicted",
    "Preempted",
    "NodeLost",
    "UnschedulableResources",
    "UnschedulableSelector",
    "Unknown",
}
ALLOWED: dict[Status, set[Cause]] = {
    "Succeeded": {"Succeeded"},
    "Failed": OF_ENDS,
    "Terminating": {"Terminating", "Succeeded", *OF_ENDS},
    "Suspended": {"Suspended", "QueueRequired", "Incomplete"},
    "Queued": {"QueueWaiting", "Incomplete"},
    "Running": {*get_args(Cause)} - OF_JOBS | {"Running"},
    "Pending": {*get_args(Cause)} - OF_JOBS,
    "ContainerCreating": {*get_args(Cause)} - OF_JOBS,
    "Unknown": {"NodeLost"},
}
"""The causes that a Job of each status can have."""
BY_REASON: dict[str, set[Cause]] = {
    "ParallelismZero": {"Suspended"},
    "Incomplete": {"Incomplete"},
    "PodsNotCreated": {"Starting", "Preempted", "Unknown", *NOT_CREATED},
    "Retrying": {"Starting", "Preempted", "Unknown", *NOT_CREATED},
}
"""The causes that a Job with each of our reasons can have."""


def contradictions(job: Job, pods: Sequence[Pod], events: Sequence[Event], now: datetime | None = None) -> list[str]:
    """Return the contradictions between all that the API reports about *job*."""
    job_view, diagnosis = view(TEAM_A, job, pods), diagnose(TEAM_A, job, pods, events, now)
    aggregate_events(events)
    return [
        *_of_reason(job, pods, job_view),
        *_of_cause(job, job_view, diagnosis, now),
        *_of_evidence(job, pods, events, diagnosis),
        *_of_outcome(job, job_view, diagnosis),
        *_of_log(job, pods, job_view),
        *_of_receipt(job, pods, job_view),
    ]


def _of_reason(job: Job, pods: Sequence[Pod], job_view: JobView) -> Iterator[str]:
    wire = msgspec.json.encode([job, pods]).decode()
    if job_view.reason not in {None, *OWN_REASONS, *DEFAULTS} and f'"reason":"{job_view.reason}"' not in wire:
        yield f"the reason {job_view.reason} is neither documented nor one of the cluster"


def _of_cause(job: Job, job_view: JobView, diagnosis: Diagnosis, now: datetime | None) -> Iterator[str]:
    cause, status, reason = diagnosis.cause, job_view.status, job_view.reason
    if cause not in ALLOWED[status]:
        yield f"cause {cause} of a Job that is {status}"
    if status != "Terminating" and cause not in BY_REASON.get(reason or "", {cause}):
        yield f"cause {cause} beside the reason {reason}"
    if status == "Running" and cause == "Starting" and not diagnosis.evidence.field.startswith("event"):
        yield "a running Job is starting"
    if now and cause in FINE and status in ("Pending", "ContainerCreating", "Unknown"):
        yield f"cause {cause} of a Job that has not been running for ten minutes"
    if (job.finished or job.ending) and not job.metadata.deletion_timestamp and "Wait" in diagnosis.remedy:
        yield "an ended Job cannot wait"


def _of_evidence(job: Job, pods: Sequence[Pod], events: Sequence[Event], diagnosis: Diagnosis) -> Iterator[str]:
    name, field = diagnosis.evidence.object, diagnosis.evidence.field
    found: Any
    objects: dict[tuple[str, str], Job | Pod]
    if field.startswith("event "):
        found = next((each for each in events if f"event {each.reason}" == field), None)
    else:
        objects = {("Job", job.metadata.name): job} | {("Pod", pod.metadata.name): pod for pod in pods}
        wire = msgspec.to_builtins(objects.get((name.kind, name.name)))
        found = _value(wire, field) if wire else None
    if found is None:
        yield f"no field {field} in {name}"


def _value(wire: Any, path: str) -> Any:  # noqa: ANN401 - any JSON
    for key, _, item in re.findall(r"([^.\[]+)(\[([^\]]*)\])?\.?", path):
        wire = wire.get(key)
        if item:
            wire = next((each for each in wire or [] if item in (each.get("name"), each.get("type"))), None)
        if wire is None:
            return None
    return wire


def _of_outcome(job: Job, job_view: JobView, diagnosis: Diagnosis) -> Iterator[str]:
    end = (job_view.exit_code, job_view.failed_pod)
    if end != (diagnosis.exit_code, diagnosis.failed_pod):
        yield "the exit codes or failed pods differ"
    if end != (None, None) and not (job.finished or job.ending):
        yield "an outcome before the end"
    if job_view.exit_code == 0 and job_view.failed_pod:
        yield f"{job_view.failed_pod} failed with exit code 0"
    if job.outcome == "Failed" and job_view.exit_code == 0:
        yield "a failed Job with exit code 0"


def _of_log(job: Job, pods: Sequence[Pod], job_view: JobView) -> Iterator[str]:
    try:
        run = select_attempt(job, pods, LogQuery())
    except JobNotStarted:
        if job.finished or any(is_running(job, pod) for pod in pods):
            yield f"a Job that is {job_view.status} has not started"
    except LogGone:
        if not job.finished:
            yield "the log of a Job that has not finished is gone"
    else:
        if run.pod not in {pod.metadata.name for pod in pods}:
            yield "the log of another pod"


def _of_receipt(job: Job, pods: Sequence[Pod], job_view: JobView) -> Iterator[str]:
    receipt = build_receipt(TEAM_A, cast("dict[str, Any]", msgspec.to_builtins(job, builtin_types=())), pods, None)
    announcement = build_announcement(TEAM_A, job, pods, "gpu")
    if (receipt.reason, announcement.reason) != (job_view.reason, job_view.reason):
        yield "the reasons differ"
    ends = {(each.exit_code, each.failed_pod) for each in (receipt, announcement, job_view)}
    if len(ends) != 1:
        yield "the exit codes or failed pods differ"
    if receipt.outcome != (job.outcome or "Unknown") or (job.finished and announcement.status != job.outcome):
        yield "the outcomes differ"
    if receipt.gpu_seconds != announcement.gpu_seconds or not math.isfinite(announcement.gpu_seconds):
        yield "the GPU-seconds differ"
    if receipt.gpu_seconds_is_lower_bound != announcement.gpu_seconds_is_lower_bound:
        yield "only one of the GPU-seconds is a lower bound"
    if pods and logged_container(job, pods) is None:
        yield "no log for the Receipt"
