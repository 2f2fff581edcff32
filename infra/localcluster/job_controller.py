"""The Job controller: creates pods until enough of them have succeeded or too many have failed.

https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from infra.localcluster import job_end, job_status
from infra.localcluster.job_end import is_overdue
from infra.localcluster.job_pods import Pods, build_pod
from infra.localcluster.kinds import JOB, POD
from infra.localcluster.status_errors import StatusError

if TYPE_CHECKING:
    from datetime import datetime

    from infra.localcluster.kinds import Document, Kind
    from infra.localcluster.registry import Registry
    from infra.localcluster.store import Store

FIRST_BACKOFF, MAX_BACKOFF = timedelta(seconds=1), timedelta(seconds=60)
"""Backoff after a rejected pod, doubled each time, as the real controller's DefaultJobApiBackOff."""


class JobController:
    """Reconciles each Job in *store*, one step at a time."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        self._backoffs: dict[str, tuple[datetime, timedelta]] = {}
        """By Job UID: the time of the next attempt, and the backoff after it."""

    def step(self, moment: datetime) -> None:
        """Reconcile every Job at the time *moment*."""
        jobs = list(self._store.all(JOB))
        self._backoffs = {uid: self._backoffs[uid] for job in jobs if (uid := job["metadata"]["uid"]) in self._backoffs}
        for job in jobs:
            if (end := job_end.finished_condition(job)) is None:
                self._reconcile(job, moment)
            elif _expired(job, end, moment):
                self._delete(JOB, job)

    def _reconcile(self, job: Document, moment: datetime) -> None:
        """Manage the pods of *job*, count those that have ended, and finish it when the last one has."""
        pods = Pods.of(job, self._store.owned_by(job["metadata"]["uid"], POD))
        decision = job_end.decision(job, pods, moment)
        if decision:
            pods = self._delete_pods(job, pods, pods.active)
            pods = pods.abandon(job) if decision["type"] == "FailureTarget" else pods
        elif "deletionTimestamp" not in job["metadata"]:
            pods = self._manage(job, pods, moment)
            decision = job_end.success(job, pods, moment)
        for pod in pods.uncounted:
            self._registry.release(pod)
        end = job_end.condition(decision, moment) if decision and not pods.terminating else None
        if end:
            self._record_end(job, end)
        self._update_status(job, job_status.build_status(job, pods, decision, end, moment))

    def _manage(self, job: Document, pods: Pods, moment: datetime) -> Pods:
        """Delete the pods of a suspended Job and surplus pods, or create the missing ones; return all pods."""
        surplus = pods.active if job["spec"]["suspend"] else pods.surplus(job)
        if surplus or job["spec"]["suspend"]:
            for pod in surplus:
                self._registry.release(pod)  # it is not counted as failed
            return self._delete_pods(job, pods, surplus)
        return self._create_missing_pods(job, pods, moment)

    def _create_missing_pods(self, job: Document, pods: Pods, moment: datetime) -> Pods:
        """Create the missing pods until one is rejected; return all pods."""
        uid, active = job["metadata"]["uid"], list(pods.active)
        retry_at, backoff = self._backoffs.pop(uid, (moment, FIRST_BACKOFF))
        if moment < retry_at:
            self._backoffs[uid] = retry_at, backoff
            return pods
        for index in pods.missing(job):
            try:
                created = self._registry.create(POD, job["metadata"]["namespace"], build_pod(job, index))
            except StatusError as error:
                self._registry.record(job, "Warning", "FailedCreate", f"Error creating: {error}")
                self._backoffs[uid] = moment + backoff, min(2 * backoff, MAX_BACKOFF)
                break
            self._registry.record(job, "Normal", "SuccessfulCreate", f"Created pod: {created['metadata']['name']}")
            active.append(created)
        return replace(pods, active=active)

    def _delete_pods(self, job: Document, pods: Pods, deleted: list[Document]) -> Pods:
        """Delete the active pods *deleted*, and return all pods."""
        for pod in deleted:
            self._delete(POD, pod)
            self._registry.record(job, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
        latest = {each["metadata"]["uid"]: each for each in self._store.owned_by(job["metadata"]["uid"], POD)}
        remaining = [latest[uid] for pod in deleted if (uid := pod["metadata"]["uid"]) in latest]
        active = [pod for pod in pods.active if pod not in deleted]
        return replace(pods, active=active, terminating=[*pods.terminating, *remaining])

    def _record_end(self, job: Document, end: Document) -> None:
        if end["type"] == "Complete":
            self._registry.record(job, "Normal", "Completed", "Job completed")
        else:
            self._registry.record(job, "Warning", end["reason"], end["message"])

    def _delete(self, kind: Kind, document: Document) -> None:
        metadata = document["metadata"]
        self._registry.delete(kind, metadata["namespace"], metadata["name"], {"propagationPolicy": "Background"})

    def _update_status(self, job: Document, status: Document) -> None:
        if status != job["status"] and self._store.find(JOB, *_namespace_and_name(job)) is job:
            self._store.replace(JOB, {**job, "metadata": {**job["metadata"]}, "status": status})


def _expired(job: Document, end: Document, moment: datetime) -> bool:
    return is_overdue(end["lastTransitionTime"], job["spec"].get("ttlSecondsAfterFinished"), moment)


def _namespace_and_name(job: Document) -> tuple[str, str]:
    return job["metadata"]["namespace"], job["metadata"]["name"]
