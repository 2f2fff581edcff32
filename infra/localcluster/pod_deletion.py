"""The deletion of a pod: it has a grace period, in which its containers end. Pure: values in, values out.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from infra.localcluster.pod_status import ENDED, time

if TYPE_CHECKING:
    from datetime import datetime

    from infra.localcluster.kinds import Document

TRACKING_FINALIZER = "batch.kubernetes.io/job-tracking"
"""The finalizer of a pod until its end is counted in the status of its Job."""
GRACE_SECONDS = 30
"""The default grace period."""


def terminating(pod: Document, options: Document, now: datetime) -> Document:
    """Return *pod* with the time at which its grace period ends; a second deletion can only shorten it."""
    seconds, metadata = _grace_seconds(pod, options), pod["metadata"]
    if metadata.get("deletionGracePeriodSeconds", seconds + 1) <= seconds:
        return pod
    deadline = time(now + timedelta(seconds=seconds))
    deletion = {"deletionTimestamp": deadline, "deletionGracePeriodSeconds": seconds}
    return {**pod, "metadata": {**metadata, **deletion}}


def is_complete(document: Document) -> bool:
    """Return whether nothing holds a deleted object any more: neither a finalizer nor a grace period."""
    metadata = document["metadata"]
    held = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds")
    return "deletionTimestamp" in metadata and not held


def released(pod: Document) -> Document:
    """Return *pod* without the finalizer of the Job controller."""
    finalizers = [each for each in pod["metadata"].get("finalizers", ()) if each != TRACKING_FINALIZER]
    return {**pod, "metadata": {**pod["metadata"], "finalizers": finalizers}}


def _grace_seconds(pod: Document, options: Document) -> int:
    if not pod["spec"].get("nodeName") or pod["status"].get("phase") in ENDED:
        return 0
    asked = options.get("gracePeriodSeconds", pod["spec"].get("terminationGracePeriodSeconds", GRACE_SECONDS))
    return max(int(asked), 0)
