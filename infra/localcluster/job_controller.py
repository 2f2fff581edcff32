"""The Job controller: creates pods until enough of them have succeeded or too many have failed.

https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from infra.localcluster.job_pods import Pods, build_pod, format_indexes, is_indexed
from infra.localcluster.kinds import JOB, POD
from infra.localcluster.status_errors import StatusError

if TYPE_CHECKING:
    from infra.localcluster.kinds import Document, Kind
    from infra.localcluster.registry import Registry
    from infra.localcluster.store import Store

FIRST_BACKOFF, MAX_BACKOFF = timedelta(seconds=1), timedelta(seconds=60)
"""Backoff after a rejected pod, doubled each time, as the real controller's DefaultJobApiBackOff."""

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


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
            if (end := finished_condition(job)) is None:
                self._reconcile(job, moment)
            elif _expired(job, end, moment):
                self._delete(JOB, job)

    def _reconcile(self, job: Document, moment: datetime) -> None:
        pods = Pods.of(job, self._store.owned_by(job["metadata"]["uid"], POD))
        end = _finish_condition(job, pods, moment)
        pods = (
            self._delete_active_pods(job, pods)
            if end or job["spec"]["suspend"]
            else self._create_missing_pods(job, pods, moment)
        )
        if end and end["type"] == "Complete":
            self._registry.record(job, "Normal", "Completed", "Job completed")
        elif end:
            self._registry.record(job, "Warning", end["reason"], end["message"])
        self._update_status(job, _status(job, pods, end, moment))

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

    def _delete_active_pods(self, job: Document, pods: Pods) -> Pods:
        for pod in pods.active:
            self._delete(POD, pod)
            self._registry.record(job, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
        return replace(pods, active=[])

    def _delete(self, kind: Kind, document: Document) -> None:
        metadata = document["metadata"]
        self._registry.delete(kind, metadata["namespace"], metadata["name"], {"propagationPolicy": "Background"})

    def _update_status(self, job: Document, status: Document) -> None:
        if status != job["status"] and self._store.find(JOB, *_namespace_and_name(job)) is job:
            self._store.replace(JOB, {**job, "metadata": {**job["metadata"]}, "status": status})


def finished_condition(job: Document) -> Document | None:
    """Return the condition that finished *job*, or None."""
    conditions = (each for each in job["status"].get("conditions", ()) if each["type"] in ("Complete", "Failed"))
    return next((each for each in conditions if each["status"] == "True"), None)


def _finish_condition(job: Document, pods: Pods, moment: datetime) -> Document | None:
    """Return the condition that finishes *job* now, or None."""
    if failure := _failure(job, pods, moment):
        return _condition("Failed", *failure, moment)
    if pods.succeeded >= job["spec"].get("completions", 1):
        return _condition("Complete", "CompletionsReached", "Reached expected number of succeeded pods", moment)
    return None


def _failure(job: Document, pods: Pods, moment: datetime) -> tuple[str, str] | None:
    """Return reason and message of the failure that ends *job* now, checked in the order of the real controller."""
    spec, started, failed_indexes = job["spec"], job["status"].get("startTime"), len(pods.failed_indexes)
    overdue = bool(started) and _overdue(started, spec.get("activeDeadlineSeconds"), moment)
    too_many = "Job has exceeded the specified maximal number of failed indexes"
    failures = {
        ("PodFailurePolicy", pods.failure_message): bool(pods.failure_message),
        ("BackoffLimitExceeded", "Job has reached the specified backoff limit"): pods.failed > spec["backoffLimit"],
        ("DeadlineExceeded", "Job was active longer than specified deadline"): overdue,
        ("MaxFailedIndexesExceeded", too_many): failed_indexes > spec.get("maxFailedIndexes", failed_indexes),
        ("FailedIndexes", "Job has failed indexes"): failed_indexes
        and failed_indexes + pods.succeeded >= spec["completions"],
    }
    return next((failure for failure, holds in failures.items() if holds), None)


def _status(job: Document, pods: Pods, end: Document | None, moment: datetime) -> Document:
    """Return the status of *job*; the real controller omits counts of zero, except for `ready`."""
    ready = sum(pod["status"].get("phase") == "Running" for pod in pods.active)
    counts = {"active": len(pods.active), "succeeded": pods.succeeded, "failed": pods.failed}
    status: Document = {"ready": ready, **{name: count for name, count in counts.items() if count}}
    if is_indexed(job) and pods.completed_indexes:
        status["completedIndexes"] = format_indexes(pods.completed_indexes)
    if "backoffLimitPerIndex" in job["spec"]:
        status["failedIndexes"] = format_indexes(pods.failed_indexes)
    if conditions := [*_suspended_condition(job, moment), *_finish_conditions(end)]:
        status["conditions"] = conditions
    if not job["spec"]["suspend"]:
        # The step may have begun before the Job was created.
        status["startTime"] = job["status"].get("startTime") or max(
            _format_time(moment), job["metadata"]["creationTimestamp"]
        )
    if end and end["type"] == "Complete":
        status["completionTime"] = _format_time(moment)
    return status


def _suspended_condition(job: Document, moment: datetime) -> list[Document]:
    """Return the Suspended condition of *job*, which exists from its first suspension on."""
    suspend = job["spec"]["suspend"]
    previous = [each for each in job["status"].get("conditions", ()) if each["type"] == "Suspended"]
    if previous and previous[0]["status"] == str(suspend):
        return previous
    if suspend:
        return [_condition("Suspended", "JobSuspended", "Job suspended", moment)]
    return [{**_condition("Suspended", "JobResumed", "Job resumed", moment), "status": "False"}] if previous else []


def _finish_conditions(end: Document | None) -> list[Document]:
    """Return the condition *end* after the interim one that Kubernetes adds since 1.31."""
    if end is None:
        return []
    return [{**end, "type": "SuccessCriteriaMet" if end["type"] == "Complete" else "FailureTarget"}, end]


def _condition(kind: str, reason: str, message: str, moment: datetime) -> Document:
    when = {"lastProbeTime": _format_time(moment), "lastTransitionTime": _format_time(moment)}
    return {"type": kind, "status": "True", "reason": reason, "message": message, **when}


def _expired(job: Document, end: Document, moment: datetime) -> bool:
    return _overdue(end["lastTransitionTime"], job["spec"].get("ttlSecondsAfterFinished"), moment)


def _overdue(since: str, seconds: int | None, moment: datetime) -> bool:
    return seconds is not None and moment >= _parse_time(since) + timedelta(seconds=seconds)


def _namespace_and_name(job: Document) -> tuple[str, str]:
    return job["metadata"]["namespace"], job["metadata"]["name"]


def _parse_time(text: str) -> datetime:
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)


def _format_time(moment: datetime) -> str:
    return moment.strftime(_FORMAT)
