"""Simulated nodes with GPUs: pods scheduled to them run for a while and end, as `pod_status` defines."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import queue
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from chalicelib.domain.kubernetes.jobs import GPU, NODE_TYPE
from infra.localcluster import pod_status
from tests.cluster.json_client import ErrorResponse
from tests.cluster.kubelet import Kubelet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.cluster.json_client import Document, JsonClient
    from tests.cluster.watch import Watch

CAPACITY = {GPU: "8", "cpu": "96", "memory": "1Ti", "pods": "1000", "ephemeral-storage": "1Ti"}
INSTANCE_TYPE = "p5.48xlarge"

_PODS = "/api/v1/pods"


class GpuNodes:
    """Nodes *names* of the cluster that *client* administers; pods on them end after *run_seconds*."""

    def __init__(self, client: JsonClient, names: Sequence[str] = ("gpu-node-0",), run_seconds: float = 2.0) -> None:
        self._client = client
        self._names = frozenset(names)
        self._run_seconds = run_seconds
        self._queue: queue.SimpleQueue[Document | None] = queue.SimpleQueue()
        self._due: list[tuple[float, int, Document]] = []
        self._running: set[str] = set()
        self._sequence = itertools.count()
        self._watch: Watch | None = None
        self._kubelet = Kubelet(client)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._watch_pods, self._work)]

    def __enter__(self) -> Self:
        """Create the nodes, start handling pods, and return itself."""
        self._kubelet.__enter__()
        for name in sorted(self._names):
            _create_node(self._client, name, self._kubelet.status)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop handling pods. The nodes remain."""
        self._stopping.set()
        if self._watch is not None:
            self._watch.stop()
        self._queue.put(None)
        for thread in self._threads:
            thread.join()
        self._kubelet.__exit__()

    def _watch_pods(self) -> None:
        """Queue every pod, and then each changed one."""
        while not self._stopping.is_set():
            pods = self._client.get(_PODS)
            for pod in pods["items"]:
                self._queue.put(pod)
            self._watch = self._client.watch(_PODS, pods["metadata"]["resourceVersion"])
            if not self._stopping.is_set():
                self._queue_changes(self._watch)
            self._watch.close()

    def _queue_changes(self, watch: Watch) -> None:
        for kind, pod in watch:
            if kind == "ERROR":
                return
            if kind in {"ADDED", "MODIFIED"}:
                self._queue.put(pod)

    def _work(self) -> None:
        while not self._stopping.is_set():
            timeout = max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
            with contextlib.suppress(queue.Empty):
                if (pod := self._queue.get(timeout=timeout)) is not None:
                    self._sync(pod)
            while self._due and self._due[0][0] <= time.monotonic():
                self._end(heapq.heappop(self._due)[2])

    def _sync(self, pod: Document) -> None:
        if pod["spec"].get("nodeName") not in self._names:
            return
        status = pod.get("status", {})
        if "deletionTimestamp" in pod["metadata"]:
            self._remove(pod)
        elif status.get("phase") == "Pending" and "containerStatuses" not in status:
            self._report(pod, *pod_status.started_status(pod, datetime.now(UTC)))
        elif status.get("phase") == "Running" and pod_status.ends_by_itself(pod):
            self._end_later(pod)

    def _end_later(self, pod: Document) -> None:
        uid = pod["metadata"]["uid"]
        if uid not in self._running:
            self._running.add(uid)
            heapq.heappush(self._due, (time.monotonic() + self._run_seconds, next(self._sequence), pod))

    def _end(self, pod: Document) -> None:
        self._report(pod, *pod_status.finished_status(pod, datetime.now(UTC)))

    def _remove(self, pod: Document) -> None:
        if pod["status"]["phase"] not in {"Succeeded", "Failed"}:
            self._report(pod, pod_status.killed_status(pod, datetime.now(UTC)), None)
        with _ignoring(404, 409):  # deleted already, or replaced by another pod
            self._client.delete(_path(pod), gracePeriodSeconds=0, preconditions={"uid": pod["metadata"]["uid"]})

    def _report(self, pod: Document, status: Document, event: pod_status.Event | None) -> None:
        with _ignoring(403, 404, 409):  # deleted, or its namespace is being deleted, where events are forbidden
            self._client.patch_lists(
                f"{_path(pod)}/status", {"metadata": {"uid": pod["metadata"]["uid"]}, "status": status}
            )
            if event is not None:
                self._record(pod, event)

    def _record(self, pod: Document, event: pod_status.Event) -> None:
        metadata = pod["metadata"]
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._client.create(
            f"/api/v1/namespaces/{metadata['namespace']}/events",
            {
                "metadata": {"generateName": f"{metadata['name']}."},
                "involvedObject": {"apiVersion": "v1", "kind": "Pod"}
                | {field: metadata[field] for field in ("namespace", "name", "uid")},
                "source": {"component": "kubelet", "host": pod["spec"]["nodeName"]},
                "type": event.type,
                "reason": event.reason,
                "message": event.message,
                "firstTimestamp": now,
                "lastTimestamp": now,
                "count": 1,
            },
        )


@contextlib.contextmanager
def _ignoring(*statuses: int) -> Iterator[None]:
    try:
        yield
    except ErrorResponse as error:
        if error.status not in statuses:
            raise


def _create_node(client: JsonClient, name: str, kubelet: Document) -> None:
    """Create the node *name* of *kubelet*, ready and without the taint of new nodes."""
    labels = {"kubernetes.io/hostname": name, NODE_TYPE: INSTANCE_TYPE}
    client.create("/api/v1/nodes", {"metadata": {"name": name, "labels": labels}})
    client.patch(f"/api/v1/nodes/{name}", {"spec": {"taints": None}})
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    client.patch_lists(
        f"/api/v1/nodes/{name}/status",
        {"status": {"capacity": CAPACITY, "allocatable": CAPACITY, "conditions": [ready], **kubelet}},
    )


def _path(pod: Document) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
