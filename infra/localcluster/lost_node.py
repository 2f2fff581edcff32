"""What the controllers do with a pod whose node stops responding. Pure: values in, values out.

1. The node lifecycle controller sets the condition Ready of the pod to False.
2. The taint eviction controller deletes the pod. Without a kubelet, it does not end.
3. When the Node object is removed, the pod garbage collector removes the pod.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from infra.localcluster.kubelet_report import Event, Sync
from infra.localcluster.pod_status import disruption

Document = dict[str, Any]

NODE_REMOVED_AFTER = timedelta(seconds=30)
"""From the end of the grace period of a pod on a lost node to the removal of the node, and so of the pod."""
NOT_READY = Event("Warning", "NodeNotReady", "Node is not ready")


def sync(pod: Document, now: datetime, run_time: timedelta) -> Sync:
    """Return what the controllers do with a pod whose node stops responding after the run time."""
    conditions = {each["type"]: each for each in pod["status"]["conditions"]}
    if "deletionTimestamp" in pod["metadata"]:
        removed_at = deadline(pod) + NODE_REMOVED_AFTER
        if now < removed_at:
            return Sync(due=removed_at)
        gone = disruption("DeletionByPodGC", "PodGC: node no longer exists", now)
        return Sync({"phase": "Failed", "conditions": [gone]})
    if "DisruptionTarget" in conditions:
        return Sync(delete=True)
    lost_at = datetime.fromisoformat(pod["status"]["startTime"]) + run_time
    if conditions["Ready"]["status"] == "False":
        message = "Taint manager: deleting due to NoExecute taint"
        evicted = Event(
            "Normal",
            "TaintManagerEviction",
            f"Marking for deletion Pod {pod['metadata']['namespace']}/{pod['metadata']['name']}",
        )
        return Sync({"conditions": [disruption("DeletionByTaintManager", message, now)]}, [evicted])
    if now < lost_at:
        return Sync(due=lost_at)
    return Sync({"conditions": [{**conditions["Ready"], "status": "False"}]}, [NOT_READY])


def deadline(pod: Document) -> datetime:
    """Return the end of the grace period of *pod*, which is being deleted."""
    return datetime.fromisoformat(pod["metadata"]["deletionTimestamp"])
