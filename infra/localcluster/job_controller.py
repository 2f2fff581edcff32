"""The Job controller: makes pods until enough of them have succeeded, or too many failed.

https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from infra.localcluster.job_pods import Pods, compressed, is_indexed, pod_of
from infra.localcluster.kinds import JOB, POD
from infra.localcluster.status_errors import StatusError

if TYPE_CHECKING:
    from infra.localcluster.kinds import Document, Kind
    from infra.localcluster.registry import Registry
    from infra.localcluster.store import Store

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=60)
"""Until a pod that was refused is tried again, doubled each time, as the real controller's DefaultJobApiBackOff."""

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class JobController:
    """Brings each Job in *store* one step further at a time."""

    def __init__(self, store: Store, writing: Registry) -> None:
        self._store = store
        self._writing = writing
        self._refused: dict[str, tuple[datetime, timedelta]] = {}
        """By a Job's uid: when to try again, and how long to wait after that."""

    def step(self, moment: datetime) -> None:
        """Looks at every Job as of *moment*."""
        jobs = list(self._store.all(JOB))
        self._refused = {uid: self._refused[uid] for job in jobs if (uid := job["metadata"]["uid"]) in self._refused}
        for job in jobs:
            if (end := finish(job)) is None:
                self._advance(job, moment)
            elif _expired(job, end, moment):
                self._delete(JOB, job)

    def _advance(self, job: Document, moment: datetime) -> None:
        pods = Pods.of(job, self._store.owned_by(job["metadata"]["uid"], POD))
        end = _end(job, pods, moment)
        pods = (
            self._delete_active_pods(job, pods)
            if end or job["spec"]["suspend"]
            else self._create_missing_pods(job, pods, moment)
        )
        if end and end["type"] == "Complete":
            self._writing.record(job, "Normal", "Completed", "Job completed")
        elif end:
            self._writing.record(job, "Warning", end["reason"], end["message"])
        self._report(job, _status(job, pods, end, moment))

    def _create_missing_pods(self, job: Document, pods: Pods, moment: datetime) -> Pods:
        """Enough pods for what is left to do; as many as there is room for."""
        uid, active = job["metadata"]["uid"], list(pods.active)
        again, pause = self._refused.pop(uid, (moment, FIRST_PAUSE))
        if moment < again:
            self._refused[uid] = again, pause
            return pods
        for index in pods.missing(job):
            try:
                made = self._writing.create(POD, job["metadata"]["namespace"], pod_of(job, index))
            except StatusError as refusal:
                self._writing.record(job, "Warning", "FailedCreate", f"Error creating: {refusal}")
                self._refused[uid] = moment + pause, min(2 * pause, LONGEST_PAUSE)
                break
            self._writing.record(job, "Normal", "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
            active.append(made)
        return replace(pods, active=active)

    def _delete_active_pods(self, job: Document, pods: Pods) -> Pods:
        for pod in pods.active:
            self._delete(POD, pod)
            self._writing.record(job, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
        return replace(pods, active=[])

    def _delete(self, kind: Kind, document: Document) -> None:
        metadata = document["metadata"]
        self._writing.delete(kind, metadata["namespace"], metadata["name"], {"propagationPolicy": "Background"})

    def _report(self, job: Document, status: Document) -> None:
        if status != job["status"] and self._store.find(JOB, *_key(job)) is job:
            self._store.replace(JOB, {**job, "metadata": {**job["metadata"]}, "status": status})


def finish(job: Document) -> Document | None:
    """The condition that ended *job*, or None."""
    ended = (one for one in job["status"].get("conditions", ()) if one["type"] in ("Complete", "Failed"))
    return next((one for one in ended if one["status"] == "True"), None)


def _end(job: Document, pods: Pods, moment: datetime) -> Document | None:
    """The condition that ends *job* now, or None."""
    if why := _failure(job, pods, moment):
        return _condition("Failed", *why, moment)
    if pods.succeeded >= job["spec"].get("completions", 1):
        return _condition("Complete", "CompletionsReached", "Reached expected number of succeeded pods", moment)
    return None


def _failure(job: Document, pods: Pods, moment: datetime) -> tuple[str, str] | None:
    """Reason and message of the failure that ends *job* now: the first that holds, in the real controller's order."""
    spec, started, lost = job["spec"], job["status"].get("startTime"), len(pods.failed_indexes)
    overdue = bool(started) and _overdue(started, spec.get("activeDeadlineSeconds"), moment)
    too_many = "Job has exceeded the specified maximal number of failed indexes"
    failures = {
        ("PodFailurePolicy", pods.verdict): bool(pods.verdict),
        ("BackoffLimitExceeded", "Job has reached the specified backoff limit"): pods.failed > spec["backoffLimit"],
        ("DeadlineExceeded", "Job was active longer than specified deadline"): overdue,
        ("MaxFailedIndexesExceeded", too_many): lost > spec.get("maxFailedIndexes", lost),
        ("FailedIndexes", "Job has failed indexes"): lost and lost + pods.succeeded >= spec["completions"],
    }
    return next((failure for failure, holds in failures.items() if holds), None)


def _status(job: Document, pods: Pods, end: Document | None, moment: datetime) -> Document:
    """The status of *job*. Counts of zero are left out, but for `ready`, as the real controller leaves them."""
    ready = sum(pod["status"].get("phase") == "Running" for pod in pods.active)
    counts = {"active": len(pods.active), "succeeded": pods.succeeded, "failed": pods.failed}
    status: Document = {"ready": ready, **{name: count for name, count in counts.items() if count}}
    if is_indexed(job) and pods.completed_indexes:
        status["completedIndexes"] = compressed(pods.completed_indexes)
    if "backoffLimitPerIndex" in job["spec"]:
        status["failedIndexes"] = compressed(pods.failed_indexes)
    if conditions := [*_suspension(job, moment), *_ending(end)]:
        status["conditions"] = conditions
    if not job["spec"]["suspend"]:
        # The step may have begun before the Job was there.
        status["startTime"] = job["status"].get("startTime") or max(_text(moment), job["metadata"]["creationTimestamp"])
    if end and end["type"] == "Complete":
        status["completionTime"] = _text(moment)
    return status


def _suspension(job: Document, moment: datetime) -> list[Document]:
    """Whether *job* is suspended, as a condition from its first suspension on."""
    suspend = job["spec"]["suspend"]
    old = [one for one in job["status"].get("conditions", ()) if one["type"] == "Suspended"]
    if old and old[0]["status"] == str(suspend):
        return old
    if suspend:
        return [_condition("Suspended", "JobSuspended", "Job suspended", moment)]
    return [{**_condition("Suspended", "JobResumed", "Job resumed", moment), "status": "False"}] if old else []


def _ending(end: Document | None) -> list[Document]:
    """The condition *end* after the one that foretells it, as since Kubernetes 1.31."""
    if end is None:
        return []
    return [{**end, "type": "SuccessCriteriaMet" if end["type"] == "Complete" else "FailureTarget"}, end]


def _condition(kind: str, reason: str, message: str, moment: datetime) -> Document:
    when = {"lastProbeTime": _text(moment), "lastTransitionTime": _text(moment)}
    return {"type": kind, "status": "True", "reason": reason, "message": message, **when}


def _expired(job: Document, end: Document, moment: datetime) -> bool:
    return _overdue(end["lastTransitionTime"], job["spec"].get("ttlSecondsAfterFinished"), moment)


def _overdue(since: str, seconds: int | None, moment: datetime) -> bool:
    return seconds is not None and moment >= _time(since) + timedelta(seconds=seconds)


def _key(job: Document) -> tuple[str, str]:
    return job["metadata"]["namespace"], job["metadata"]["name"]


def _time(text: str) -> datetime:
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)


def _text(moment: datetime) -> str:
    return moment.strftime(_FORMAT)
