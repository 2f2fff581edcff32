"""The embedded cluster: its API server on loopback with TLS, and its controllers on a thread."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from infra.local.http_server import LoopbackServer
from infra.localcluster import fake_node
from infra.localcluster.admission import Admission
from infra.localcluster.api import Api
from infra.localcluster.authentication import Authentication
from infra.localcluster.certificates import server_identity
from infra.localcluster.garbage_collector import GarbageCollector
from infra.localcluster.job_controller import JobController
from infra.localcluster.kinds import BY_NAME
from infra.localcluster.quota_controller import QuotaController
from infra.localcluster.rbac import Rbac, default_roles
from infra.localcluster.registry import Registry
from infra.localcluster.scheduler import Scheduler
from infra.localcluster.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from infra.localcluster.api import RecordedRequest
    from infra.localcluster.identity import Identity
    from infra.localcluster.kinds import Document, Kind

STEP_SECONDS = 0.1
"""The maximum time between two controller steps, because some changes depend only on time."""
PAUSE_SECONDS = 0.01
"""The minimum time, so that one step handles many changes."""


_DEFAULT: Document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
_PRIORITIES: list[Document] = [
    {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": value}
    for name, value in (("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000))
]
"""Objects that every cluster has."""


class EmbeddedCluster:
    """An in-memory cluster with one fake 8-GPU node.

    *authenticate* returns the identity of a token or raises PermissionError; a pod runs for *run_seconds*.
    """

    name = "embedded"

    def __init__(self, authenticate: Callable[[str], Identity], run_seconds: float = 20.0) -> None:
        self.store = Store()
        admission = Admission(self.store)
        self._registry = Registry(self.store, admission)
        rbac = Rbac(self.store)
        self._api = Api(self.store, self._registry, rbac, Authentication(authenticate, rbac))
        self._controllers = (
            JobController(self.store, self._registry),
            Scheduler(self.store, self._registry),
            fake_node.Node(self.store, self._registry, run_seconds),
            QuotaController(self.store, admission),
            GarbageCollector(self.store),
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.apply([_DEFAULT, *_PRIORITIES, *default_roles(), fake_node.NODE])

    def __enter__(self) -> Self:
        """Start the API server and the controllers."""
        identity = server_identity()
        self.ca_pem = identity.ca_pem
        self._server = LoopbackServer(self._api, context=identity.context)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything and delete all objects."""
        self._stopping.set()
        self._thread.join()
        self.store.history.close()
        self._server.close()

    @property
    def url(self) -> str:
        """The URL of the API server."""
        return self._server.url

    @property
    def requests(self) -> Sequence[RecordedRequest]:
        """The requests that the API server has received."""
        return self._api.requests

    def apply(self, documents: Iterable[Document]) -> None:
        """Create or update each object, as an administrator does with kubectl apply."""
        for document in documents:
            kind, namespace = (
                BY_NAME[document["apiVersion"], document["kind"]],
                document["metadata"].get("namespace", ""),
            )
            with self.store.lock:
                existing = self.store.find(kind, namespace, document["metadata"]["name"])
                if existing is None:
                    self._registry.create(kind, namespace, document)
                else:
                    self._registry.patch(kind, namespace, document["metadata"]["name"], document)

    def find(self, kind: Kind, namespace: str) -> list[Document]:
        """Return the objects of *kind* in *namespace*, sorted by name."""
        with self.store.lock:
            return sorted(self.store.all(kind, namespace), key=lambda each: str(each["metadata"]["name"]))

    def step(self, moment: datetime) -> None:
        """Run each controller once at the time *moment*."""
        with self.store.lock:
            for controller in self._controllers:
                controller.step(moment)

    def _run(self) -> None:
        """Run a step after each change, as controllers that watch do."""
        while not self._stopping.wait(PAUSE_SECONDS):
            seen = self.store.version
            self.step(datetime.now(UTC))
            with self.store.lock:
                self.store.history.since(seen, STEP_SECONDS)
