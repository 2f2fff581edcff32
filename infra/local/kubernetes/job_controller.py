"""The Job controller: makes pods until enough of them have succeeded, or too many failed.

https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from infra.local.kubernetes.kinds import JOB, POD
from infra.local.kubernetes.refusal import Refusal

if TYPE_CHECKING:
    from infra.local.kubernetes.kinds import Document, Kind
    from infra.local.kubernetes.store import Store
    from infra.local.kubernetes.writing import Writing

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=60)
"""Until a pod that was refused is tried again, doubled each time, as the real controller's DefaultJobApiBackOff."""
INDEX_MARK = "batch.kubernetes.io/job-completion-index"

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class _Pods:
    """How a Job's pods stand."""

    active: list[Document]
    succeeded: int
    failed: int

    @classmethod
    def of(cls, pods: list[Document]) -> _Pods:
        phases = [pod["status"]["phase"] for pod in pods]
        active = [pod for pod, phase in zip(pods, phases, strict=True) if phase not in ("Succeeded", "Failed")]
        return cls(active, phases.count("Succeeded"), phases.count("Failed"))


class JobController:
    """Brings each Job in *store* one step further at a time."""

    def __init__(self, store: Store, writing: Writing) -> None:
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
        pods = _Pods.of(self._store.owned_by(job["metadata"]["uid"], POD))
        end = _end(job, pods, moment)
        pods = self._stopped(job, pods) if end or job["spec"]["suspend"] else self._filled(job, pods, moment)
        if end and end["type"] == "Complete":
            self._writing.record(job, "Normal", "Completed", "Job completed")
        elif end:
            self._writing.record(job, "Warning", end["reason"], end["message"])
        self._report(job, _status(job, pods, end, moment))

    def _filled(self, job: Document, pods: _Pods, moment: datetime) -> _Pods:
        """Enough pods for what is left to do; as many as there is room for."""
        spec, uid, active = job["spec"], job["metadata"]["uid"], list(pods.active)
        again, pause = self._refused.pop(uid, (moment, FIRST_PAUSE))
        if moment < again:
            self._refused[uid] = again, pause
            return pods
        left = spec["completions"] - pods.succeeded if spec.get("completions") else spec["parallelism"]
        while len(active) < min(spec["parallelism"], left):
            try:
                there = self._store.owned_by(job["metadata"]["uid"], POD)
                made = self._writing.create(POD, job["metadata"]["namespace"], _pod(job, there))
            except Refusal as refusal:
                self._writing.record(job, "Warning", "FailedCreate", f"Error creating: {refusal}")
                self._refused[uid] = moment + pause, min(2 * pause, LONGEST_PAUSE)
                break
            self._writing.record(job, "Normal", "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
            active.append(made)
        return replace(pods, active=active)

    def _stopped(self, job: Document, pods: _Pods) -> _Pods:
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


def _end(job: Document, pods: _Pods, moment: datetime) -> Document | None:
    """The condition that ends *job* now, or None."""
    spec, started = job["spec"], job["status"].get("startTime")
    if pods.failed > spec["backoffLimit"]:
        return _condition("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit", moment)
    if started and _overdue(started, spec.get("activeDeadlineSeconds"), moment):
        return _condition("Failed", "DeadlineExceeded", "Job was active longer than specified deadline", moment)
    if pods.succeeded >= (spec.get("completions") or 1):
        return _condition("Complete", "CompletionsReached", "Reached expected number of succeeded pods", moment)
    return None


def _status(job: Document, pods: _Pods, end: Document | None, moment: datetime) -> Document:
    """The status of *job*. Counts of zero are left out, but for `ready`, as the real controller leaves them."""
    ready = sum(pod["status"].get("phase") == "Running" for pod in pods.active)
    counts = {"active": len(pods.active), "succeeded": pods.succeeded, "failed": pods.failed}
    status: Document = {"ready": ready, **{name: count for name, count in counts.items() if count}}
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


def _pod(job: Document, there: list[Document]) -> Document:
    """The Job's next pod, beside those that are *there*."""
    metadata, template = job["metadata"], job["spec"]["template"]
    owner = {
        "apiVersion": JOB.api_version,
        "kind": JOB.name,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    marks: Document = {"generateName": f"{metadata['name']}-", "ownerReferences": [owner]}
    if job["spec"]["completionMode"] == "Indexed":
        index = {INDEX_MARK: _next_index(there)}
        marks["generateName"] += f"{index[INDEX_MARK]}-"
        marks["labels"] = {**template["metadata"].get("labels", {}), **index}
        marks["annotations"] = {**template["metadata"].get("annotations", {}), **index}
    return {"metadata": {**template["metadata"], **marks}, "spec": template["spec"]}


def _next_index(there: list[Document]) -> str:
    """The least completion index that no pod works on, or has worked on well."""
    held = [pod["metadata"]["annotations"][INDEX_MARK] for pod in there if pod["status"]["phase"] != "Failed"]
    return next(str(index) for index in itertools.count() if str(index) not in held)


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
