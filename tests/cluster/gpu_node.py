"""Simulated nodes with GPUs: the pods on them run for a while and end, as `kubelet_sync` defines."""

from __future__ import annotations

import contextlib
import heapq
import queue
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from chalicelib.domain.kubernetes.jobs import GPU, NODE_TYPE
from infra.localcluster.kubelet_sync import sync
from tests.cluster.heartbeats import Heartbeats
from tests.cluster.injection import install_injection
from tests.cluster.json_client import ErrorResponse
from tests.cluster.kubelet import Kubelet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infra.localcluster.kubelet_report import Event
    from tests.cluster.json_client import Document, JsonClient
    from tests.cluster.watch import Watch

CAPACITY = {GPU: "8", "cpu": "96", "memory": "1Ti", "pods": "1000", "ephemeral-storage": "1Ti"}
INSTANCE_TYPE = "p5.48xlarge"

_PODS = "/api/v1/pods"


class GpuNodes:
    """Nodes *names* of the cluster that *client* administers; containers on them run for *run_seconds*."""

    def __init__(self, client: JsonClient, names: Sequence[str] = ("gpu-node-0",), run_seconds: float = 2.0) -> None:
        self._client = client
        self._names = set(names)
        self._run_time = timedelta(seconds=run_seconds)
        self._queue: queue.SimpleQueue[Document | None] = queue.SimpleQueue()
        self._due: list[tuple[datetime, str]] = []
        self._pods: dict[str, Document] = {}
        """The latest version of each pod on the nodes, by UID."""
        self._lags: dict[str, timedelta] = {}
        """The fraction of a second at the last report about each pod, by UID."""
        self._watch: Watch | None = None
        self._kubelet = Kubelet(client)
        self._heartbeats = Heartbeats(client, names)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._watch_pods, self._work)]

    def __enter__(self) -> Self:
        """Create the nodes, start handling pods, and return itself."""
        self._kubelet.__enter__()
        install_injection(self._client)
        for name in sorted(self._names):
            _create_node(self._client, name, self._kubelet.status)
        self._heartbeats.__enter__()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop handling pods. The nodes and the policies that inject containers remain."""
        self._heartbeats.__exit__()
        self._stopping.set()
        if self._watch is not None:
            self._watch.stop()
        self._queue.put(None)
        for thread in self._threads:
            thread.join()
        self._kubelet.__exit__()

    def lose(self, name: str) -> None:
        """Stop the node *name*: it sends no heartbeats, and does nothing about its pods any more."""
        self._names.discard(name)
        self._heartbeats.stop(name)

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
            elif kind == "DELETED":
                self._pods.pop(pod["metadata"]["uid"], None)

    def _work(self) -> None:
        while not self._stopping.is_set():
            timeout = max(0.0, (self._due[0][0] - datetime.now(UTC)).total_seconds()) if self._due else None
            with contextlib.suppress(queue.Empty):
                if (pod := self._queue.get(timeout=timeout)) is not None:
                    self._observe(pod)
            while self._due and self._due[0][0] <= datetime.now(UTC):
                if pod := self._pods.get(heapq.heappop(self._due)[1]):
                    self._sync(pod)

    def _observe(self, pod: Document) -> None:
        """Handle a pod, unless a later version of it is known."""
        known = self._pods.get(pod["metadata"]["uid"])
        if known is None or _version(known) < _version(pod):
            self._pods[pod["metadata"]["uid"]] = pod
            self._sync(pod)

    def _sync(self, pod: Document) -> None:
        """Do what a kubelet does with *pod*, and again after each report."""
        if pod["spec"].get("nodeName") not in self._names:
            return
        # Kubernetes stores whole seconds: without the lag, a container that started late in one would run too short.
        lag = self._lags.get(pod["metadata"]["uid"], timedelta())
        result = sync(pod, datetime.now(UTC), self._run_time + lag)
        if result.due:
            heapq.heappush(self._due, (result.due, pod["metadata"]["uid"]))
        with _ignoring(403, 404, 409):  # deleted, or its namespace is being deleted, where events are forbidden
            if result.status is not None:
                pod = self._report(pod, result.status)
            for event in result.events:
                self._record(pod, event)
            if result.delete or result.remove:
                options: Document = {"gracePeriodSeconds": 0} if result.remove else {}
                self._client.delete(_path(pod), preconditions={"uid": pod["metadata"]["uid"]}, **options)
            elif result.status is not None:
                self._sync(pod)

    def _report(self, pod: Document, status: Document) -> Document:
        changes = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": status}
        self._lags[pod["metadata"]["uid"]] = timedelta(microseconds=datetime.now(UTC).microsecond)
        pod = self._client.patch_lists(f"{_path(pod)}/status", changes)
        self._pods[pod["metadata"]["uid"]] = pod
        return pod

    def _record(self, pod: Document, event: Event) -> None:
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


def _version(pod: Document) -> int:
    return int(pod["metadata"]["resourceVersion"])


def _path(pod: Document) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
