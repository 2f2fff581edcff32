"""Tell what happened to a Job, and why it is where it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from chalicelib.domain.diagnosis.diagnosis import Diagnosis, diagnose
from chalicelib.domain.job.event_list import EventView, aggregate_events, created_pods
from chalicelib.usecases.get_job import pods_by_job, require_job
from chalicelib.usecases.ports import PARALLEL

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.events import Event
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.usecases.ports import Jobs, Pods

MAX_PODS_WITH_EVENTS = PARALLEL
"""Pods whose events are asked for, each by a call of its own: a Job of more is told of by its unhappy and newest."""


class EventPage(msgspec.Struct, frozen=True):
    """The events of a Job and its pods in the order of their last time."""

    data: list[EventView]


def job_events(project: ProjectName, name: JobName, jobs: Jobs, pods: Pods) -> EventPage:
    """What the cluster recorded about the Job and its pods, also those that are gone."""
    _, events = _pods_and_events(project, require_job(project, name, jobs), pods)
    return EventPage(aggregate_events(events))


def diagnose_job(project: ProjectName, name: JobName, jobs: Jobs, pods: Pods) -> Diagnosis:
    """Why the Job is where it is."""
    job = require_job(project, name, jobs)
    own, events = _pods_and_events(project, job, pods)
    return diagnose(project, job, own, events)


def _pods_and_events(project: ProjectName, job: Job, pods: Pods) -> tuple[list[Pod], list[Event]]:
    """The Job's pods, and the events of the Job and of those of its pods that can tell most."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        asked = pool.submit(pods.events, project, job.metadata.uid)
        own = pods_by_job(pods.of_job(project, job))[job.metadata.uid]
        of_job = asked.result()
        names = _relevant_pods(own, of_job)
        of_pods = pool.map(lambda name: pods.pod_events(project, name), names)
        return own, [*of_job, *chain.from_iterable(of_pods)]


def _relevant_pods(pods: list[Pod], events: list[Event]) -> list[str]:
    """Names of pods: first those that did not succeed, the newest of them first, then those that are gone."""
    newest_first = sorted(pods, key=lambda pod: str(pod.metadata.creation_timestamp), reverse=True)
    unhappy = [pod.metadata.name for pod in newest_first if pod.status.phase != "Succeeded"]
    names = [*unhappy, *created_pods(events), *(pod.metadata.name for pod in newest_first)]
    return list(dict.fromkeys(names))[:MAX_PODS_WITH_EVENTS]
