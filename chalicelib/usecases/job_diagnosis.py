"""Read the events of a Job and its pods, and diagnose the Job."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.domain.diagnosis.diagnosis import Diagnosis, diagnose
from chalicelib.domain.job.event_list import EventView, aggregate_events, created_pods
from chalicelib.usecases.get_job import pods_by_job, require_job
from chalicelib.usecases.ports import PARALLEL

if TYPE_CHECKING:
    from datetime import datetime

    from chalicelib.domain.kubernetes.events import Event
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.usecases.ports import Jobs, Pods

MAX_PODS_WITH_EVENTS = PARALLEL
"""The events of at most this many pods are read, as each needs a request: pods that did not succeed first."""


class EventPage(msgspec.Struct, frozen=True):
    """The events of a Job and its pods, sorted by `lastSeen`."""

    data: Annotated[list[EventView], msgspec.Meta(description="The events, the latest last.")]


def job_events(project: ProjectName, name: JobName, jobs: Jobs, pods: Pods) -> EventPage:
    """Return the aggregated events of the Job and its pods, including pods that were deleted."""
    _, events = _pods_and_events(project, require_job(project, name, jobs), pods)
    return EventPage(aggregate_events(events))


def diagnose_job(project: ProjectName, name: JobName, now: datetime, jobs: Jobs, pods: Pods) -> Diagnosis:
    """Return why the Job is in its status."""
    job = require_job(project, name, jobs)
    own, events = _pods_and_events(project, job, pods)
    return diagnose(project, job, own, events, now)


def _pods_and_events(project: ProjectName, job: Job, pods: Pods) -> tuple[list[Pod], list[Event]]:
    """Return the Job's pods, and the events of the Job and of its most relevant pods."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        pending_events = pool.submit(pods.events, project, job.metadata.uid)
        own = pods_by_job(pods.of_job(project, job))[job.metadata.uid]
        job_events = pending_events.result()
        names = _relevant_pods(own, job_events)
        pod_events = pool.map(lambda name: pods.pod_events(project, name), names)
        return own, [*job_events, *chain.from_iterable(pod_events)]


def _relevant_pods(pods: list[Pod], events: list[Event]) -> list[str]:
    """Return the names of pods: those that did not succeed, newest first, then deleted ones, then the others."""
    newest_first = sorted(pods, key=lambda pod: str(pod.metadata.creation_timestamp), reverse=True)
    unsuccessful = [pod.metadata.name for pod in newest_first if pod.status.phase != "Succeeded"]
    names = [*unsuccessful, *created_pods(events), *(pod.metadata.name for pod in newest_first)]
    return list(dict.fromkeys(names))[:MAX_PODS_WITH_EVENTS]
