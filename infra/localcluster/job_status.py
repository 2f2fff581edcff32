"""The status of a Job as the Job controller writes it. Pure: values in, values out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.localcluster.job_end import build_condition
from infra.localcluster.job_pods import format_indexes, is_indexed
from infra.localcluster.pod_status import time

if TYPE_CHECKING:
    from datetime import datetime

    from infra.localcluster.job_pods import Pods
    from infra.localcluster.kinds import Document


def build_status(
    job: Document, pods: Pods, decision: Document | None, end: Document | None, moment: datetime
) -> Document:
    """Return the status of *job*; the real controller omits counts of zero, except `ready` and `terminating`."""
    ready = sum(map(_is_ready, pods.active))
    counts = {"active": len(pods.active), "succeeded": pods.succeeded, "failed": pods.failed}
    status: Document = {"ready": ready, "terminating": len(pods.terminating)}
    status |= {name: count for name, count in counts.items() if count}
    if is_indexed(job) and pods.completed_indexes:
        status["completedIndexes"] = format_indexes(pods.completed_indexes)
    if "backoffLimitPerIndex" in job["spec"]:
        status["failedIndexes"] = format_indexes(pods.failed_indexes)
    if conditions := [*_suspended_condition(job, decision, moment), *(each for each in (decision, end) if each)]:
        status["conditions"] = conditions
    if not job["spec"]["suspend"]:
        # The step may have begun before the Job was created.
        status["startTime"] = job["status"].get("startTime") or max(time(moment), job["metadata"]["creationTimestamp"])
    if end and end["type"] == "Complete":
        status["completionTime"] = time(moment)
    return status


def _suspended_condition(job: Document, decision: Document | None, moment: datetime) -> list[Document]:
    """Return the Suspended condition of *job*, which exists from its first suspension on; it ends with a decision."""
    suspend = job["spec"]["suspend"]
    previous = [each for each in job["status"].get("conditions", ()) if each["type"] == "Suspended"]
    if decision or (previous and previous[0]["status"] == str(suspend)):
        return previous
    if suspend:
        return [build_condition("Suspended", "JobSuspended", "Job suspended", moment)]
    resumed = {**build_condition("Suspended", "JobResumed", "Job resumed", moment), "status": "False"}
    return [resumed] if previous else []


def _is_ready(pod: Document) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
