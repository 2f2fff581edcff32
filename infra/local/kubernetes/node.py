"""One fake node with GPUs, and the scheduler that fills it. Its pods run for a while and end; nothing is executed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kubernetes.utils.quantity import parse_quantity

from chalicelib.domain.kubernetes import GPU, NODE_TYPE
from infra.local.kubernetes import pod_status
from infra.local.kubernetes.admission import requests_of
from infra.local.kubernetes.kinds import POD
from infra.local.kubernetes.writing import merged

if TYPE_CHECKING:
    from infra.local.kubernetes.kinds import Document
    from infra.local.kubernetes.pod_status import Event
    from infra.local.kubernetes.store import Store
    from infra.local.kubernetes.writing import Writing

NAME = "gpu-node-0"
ALLOCATABLE = {"cpu": "96", "memory": "1Ti", GPU: "8", "pods": "110"}
LABELS = {"kubernetes.io/hostname": NAME, "kubernetes.io/arch": "amd64", NODE_TYPE: "p5.48xlarge"}
NODE: Document = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": NAME, "labels": LABELS},
    "status": {
        "allocatable": ALLOCATABLE,
        "capacity": ALLOCATABLE,
        "conditions": [{"type": "Ready", "status": "True"}],
    },
}
_ROOM = {resource: parse_quantity(quantity) for resource, quantity in ALLOCATABLE.items()}
_UNAVAILABLE = "0/1 nodes are available: 1 {}. no new claims to deallocate, preemption: 0/1 nodes are available: 1 {}."
"""The scheduler's words in Kubernetes 1.36."""
_NO_VICTIMS = "No preemption victims found for incoming pod"
_NOT_HELPFUL = "Preemption is not helpful for scheduling"
_ENDED = ("Succeeded", "Failed")


class Node:
    """Runs the pods in *store*, each for *run_seconds*."""

    def __init__(self, store: Store, writing: Writing, run_seconds: float) -> None:
        self._store = store
        self._writing = writing
        self._run_time = timedelta(seconds=run_seconds)

    def step(self, moment: datetime) -> None:
        """Brings every pod one step further, as of *moment*."""
        for pod in sorted(self._store.all(POD), key=lambda one: int(one["metadata"]["resourceVersion"])):
            status = pod["status"]
            if status["phase"] in _ENDED:
                continue
            if not pod["spec"].get("nodeName"):
                self._schedule(pod, moment)
            elif "containerStatuses" not in status:
                self._report(pod, *pod_status.begun(pod, moment))
            elif status["phase"] == "Running" and self._is_over(pod, moment):
                self._report(pod, *pod_status.ended(pod, moment))

    def _schedule(self, pod: Document, moment: datetime) -> None:
        why = self._hindrance(pod)
        if why is None:
            bound = merged(pod, {"spec": {"nodeName": NAME}})
            message = f"Successfully assigned {pod['metadata']['namespace']}/{pod['metadata']['name']} to {NAME}"
            self._report(
                bound, _scheduled("True", None, None, moment), pod_status.Event("Normal", "Scheduled", message)
            )
        elif not pod["status"].get("conditions"):
            condition = _scheduled("False", "Unschedulable", why, moment)
            self._report(pod, condition, pod_status.Event("Warning", "FailedScheduling", why))

    def _hindrance(self, pod: Document) -> str | None:
        """Why *pod* cannot go to the node, as the scheduler says it, or None when it can."""
        wanted = pod["spec"].get("nodeSelector") or {}
        if not wanted.items() <= LABELS.items():
            return _UNAVAILABLE.format("node(s) didn't match Pod's node affinity/selector", _NOT_HELPFUL)
        there = [
            one for one in self._store.all(POD) if one["spec"].get("nodeName") and one["status"]["phase"] not in _ENDED
        ]
        taken = [requests_of(one) for one in there]
        for resource, quantity in requests_of(pod).items():
            if quantity + sum(one.get(resource, 0) for one in taken) > _ROOM.get(resource, 0):
                return _UNAVAILABLE.format(f"Insufficient {resource}", _NO_VICTIMS)
        return None

    def _is_over(self, pod: Document, moment: datetime) -> bool:
        started = datetime.fromisoformat(pod["status"]["startTime"]).astimezone(UTC)
        return pod_status.ends_by_itself(pod) and moment >= started + self._run_time

    def _report(self, pod: Document, status: Document, event: Event | None) -> None:
        conditions = {one["type"]: one for one in (*pod["status"].get("conditions", ()), *status.get("conditions", ()))}
        told = {**pod["status"], **status, "conditions": list(conditions.values())}
        self._store.replace(POD, {**pod, "metadata": {**pod["metadata"]}, "status": _without_null(told)})
        if event:
            self._writing.record(pod, event.type, event.reason, event.message)


def _scheduled(holds: str, reason: str | None, message: str | None, moment: datetime) -> Document:
    when = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {
        "type": "PodScheduled",
        "status": holds,
        "lastTransitionTime": when,
        "reason": reason,
        "message": message,
    }
    return {"conditions": [condition]}


def _without_null(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {key: _without_null(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_null(inner) for inner in value]
    return value
