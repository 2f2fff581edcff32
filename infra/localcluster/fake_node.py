"""A fake node with GPUs. Its containers run for a fixed time and terminate; nothing is executed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.domain.kubernetes.jobs import GPU, NODE_TYPE
from infra.localcluster.kinds import POD
from infra.localcluster.kubelet_sync import sync

if TYPE_CHECKING:
    from datetime import datetime

    from infra.localcluster.kinds import Document
    from infra.localcluster.kubelet_report import Sync
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


class Node:
    """Runs the pods in *store*, each container for *run_seconds*."""

    def __init__(self, store: Store, registry: Registry, run_seconds: float) -> None:
        self._store = store
        self._registry = registry
        self._run_time = timedelta(seconds=run_seconds)

    def step(self, moment: datetime) -> None:
        """Update every pod on the node at the time *moment*."""
        for pod in sorted(self._store.all(POD), key=lambda each: int(each["metadata"]["resourceVersion"])):
            if pod["spec"].get("nodeName"):
                self._apply(pod, sync(pod, moment, self._run_time))

    def _apply(self, pod: Document, result: Sync) -> None:
        metadata = pod["metadata"]
        if result.status is not None:
            update_pod_status(self._store, pod, result.status)
        for event in result.events:
            self._registry.record(pod, event.type, event.reason, event.message)
        if result.delete or result.remove:
            options = {"gracePeriodSeconds": 0} if result.remove else {}
            self._registry.delete(POD, metadata["namespace"], metadata["name"], options)


def update_pod_status(store: Store, pod: Document, status: Document) -> Document:
    """Merge *status* into the status of *pod*, conditions by type, and return the pod."""
    conditions = {each["type"]: each for each in (*pod["status"].get("conditions", ()), *status.get("conditions", ()))}
    merged = {**pod["status"], **status, "conditions": list(conditions.values())}
    return store.replace(POD, {**pod, "metadata": {**pod["metadata"]}, "status": _remove_null(merged)})


def _remove_null(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {key: _remove_null(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_remove_null(inner) for inner in value]
    return value
