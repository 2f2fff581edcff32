"""The end of a Job: when it has succeeded or failed, and the conditions that say so. Pure: values in, values out.

The condition FailureTarget or SuccessCriteriaMet decides how the Job will end. Failed or Complete follows when no pod
of the Job is terminating any more.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from infra.localcluster.pod_status import time

if TYPE_CHECKING:
    from infra.localcluster.job_pods import Pods
    from infra.localcluster.kinds import Document

_FINAL = {"SuccessCriteriaMet": "Complete", "FailureTarget": "Failed"}


def finished_condition(job: Document) -> Document | None:
    """Return the condition that finished *job*, or None."""
    return _true_condition(job, ("Complete", "Failed"))


def decision(job: Document, pods: Pods, moment: datetime) -> Document | None:
    """Return the condition that has decided how *job* ends, or that decides now that it fails; None if it runs."""
    if decided := _true_condition(job, tuple(_FINAL)):
        return decided
    failure = _failure(job, pods, moment)
    return build_condition("FailureTarget", *failure, moment) if failure else None


def success(job: Document, pods: Pods, moment: datetime) -> Document | None:
    """Return the condition that decides now that *job* succeeds, or None."""
    completions = job["spec"].get("completions")
    enough = pods.succeeded > 0 if completions is None else pods.succeeded >= completions
    if not enough or pods.active:
        return None
    message = "Reached expected number of succeeded pods"
    return build_condition("SuccessCriteriaMet", "CompletionsReached", message, moment)


def condition(decided: Document, moment: datetime) -> Document:
    """Return the condition that finishes a Job by *decided*."""
    return build_condition(_FINAL[decided["type"]], decided["reason"], decided["message"], moment)


def build_condition(kind: str, reason: str, message: str, moment: datetime) -> Document:
    """Return a condition of a Job that is true since *moment*."""
    when = {"lastProbeTime": time(moment), "lastTransitionTime": time(moment)}
    return {"type": kind, "status": "True", "reason": reason, "message": message, **when}


def is_overdue(since: str, seconds: int | None, moment: datetime) -> bool:
    """Return whether *seconds* have passed between *since* and *moment*; never if they are None."""
    start = datetime.strptime(since, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return seconds is not None and moment >= start + timedelta(seconds=seconds)


def _failure(job: Document, pods: Pods, moment: datetime) -> tuple[str, str] | None:
    """Return reason and message of the failure that ends *job* now, checked in the order of the real controller."""
    spec, started, failed_indexes = job["spec"], job["status"].get("startTime"), len(pods.failed_indexes)
    runs_too_long = bool(started) and is_overdue(started, spec.get("activeDeadlineSeconds"), moment)
    too_many = "Job has exceeded the specified maximal number of failed indexes"
    failures = {
        ("PodFailurePolicy", pods.failure_message): bool(pods.failure_message),
        ("BackoffLimitExceeded", "Job has reached the specified backoff limit"): pods.failed > spec["backoffLimit"],
        ("DeadlineExceeded", "Job was active longer than specified deadline"): runs_too_long,
        ("MaxFailedIndexesExceeded", too_many): failed_indexes > spec.get("maxFailedIndexes", failed_indexes),
        ("FailedIndexes", "Job has failed indexes"): failed_indexes
        and failed_indexes + pods.succeeded >= spec["completions"],
    }
    return next((failure for failure, holds in failures.items() if holds), None)


def _true_condition(job: Document, kinds: tuple[str, ...]) -> Document | None:
    conditions = (each for each in job["status"].get("conditions", ()) if each["type"] in kinds)
    return next((each for each in conditions if each["status"] == "True"), None)
