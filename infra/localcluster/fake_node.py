"""A fake node with GPUs. Its pods run for a fixed time and terminate; nothing is executed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.domain.kubernetes.jobs import GPU, NODE_TYPE
from infra.localcluster import pod_status
from infra.localcluster.kinds import POD

if TYPE_CHECKING:
    from infra.localcluster.kinds import Document
    from infra.localcluster.pod_status import Event
    from infra.localcluster.registry import Registry
    from infra.localcluster.store import Store

NAME = "gpu-node-0"
ALLOCATABLE = {"cpu": "96", "memory": "1Ti", GPU: "8", "pods": "110", "ephemeral-storage": "1Ti"}
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
ENDED = ("Succeeded", "Failed")
"""Phases of pods that use no resources any more."""


class Node:
    """Runs the pods in *store* for *run_seconds* each."""

    def __init__(self, store: Store, registry: Registry, run_seconds: float) -> None:
        self._store = store
        self._registry = registry
        self._run_time = timedelta(seconds=run_seconds)

    def step(self, moment: datetime) -> None:
        """Update every pod on the node at the time *moment*."""
        for pod in sorted(self._store.all(POD), key=lambda each: int(each["metadata"]["resourceVersion"])):
            status = pod["status"]
            if status["phase"] in ENDED or not pod["spec"].get("nodeName"):
                continue
            if "containerStatuses" not in status:
                update_pod_status(self._store, self._registry, pod, *pod_status.started_status(pod, moment))
            elif status["phase"] == "Running" and self._is_finished(pod, moment):
                update_pod_status(self._store, self._registry, pod, *pod_status.finished_status(pod, moment))

    def _is_finished(self, pod: Document, moment: datetime) -> bool:
        started = datetime.fromisoformat(pod["status"]["startTime"]).astimezone(UTC)
        return pod_status.ends_by_itself(pod) and moment >= started + self._run_time


def update_pod_status(store: Store, registry: Registry, pod: Document, status: Document, event: Event | None) -> None:
    """Merge *status* into the status of *pod*, conditions by type, and record *event*."""
    conditions = {each["type"]: each for each in (*pod["status"].get("conditions", ()), *status.get("conditions", ()))}
    merged = {**pod["status"], **status, "conditions": list(conditions.values())}
    store.replace(POD, {**pod, "metadata": {**pod["metadata"]}, "status": _remove_null(merged)})
    if event:
        registry.record(pod, event.type, event.reason, event.message)


def _remove_null(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {key: _remove_null(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_remove_null(inner) for inner in value]
    return value
