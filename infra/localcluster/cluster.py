"""The embedded cluster: its API server on loopback, over TLS, and its controllers on a thread of their own."""

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

    from infra.localcluster.api import Request
    from infra.localcluster.identity import Identity
    from infra.localcluster.kinds import Document, Kind

STEP_SECONDS = 0.1
"""The longest time between two steps: some things happen without a change, when their time has come."""
PAUSE_SECONDS = 0.01
"""The shortest, so that many changes at once are one step's work."""


_DEFAULT: Document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
_PRIORITIES: list[Document] = [
    {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": value}
    for name, value in (("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000))
]
"""What every cluster has."""


class EmbeddedCluster:
    """A cluster in memory with one fake 8-GPU node.

    *authenticate* tells whose a token is, or raises PermissionError; a pod runs for *run_seconds*.
    """

    name = "embedded"

    def __init__(self, authenticate: Callable[[str], Identity], run_seconds: float = 20.0) -> None:
        self.store = Store()
        admission = Admission(self.store)
        self._writing = Registry(self.store, admission)
        rbac = Rbac(self.store)
        self._api = Api(self.store, self._writing, rbac, Authentication(authenticate, rbac))
        self._controllers = (
            JobController(self.store, self._writing),
            Scheduler(self.store, self._writing),
            fake_node.Node(self.store, self._writing, run_seconds),
            QuotaController(self.store, admission),
            GarbageCollector(self.store),
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.apply([_DEFAULT, *_PRIORITIES, *default_roles(), fake_node.NODE])

    def __enter__(self) -> Self:
        """Starts to serve."""
        identity = server_identity()
        self.ca_pem = identity.ca_pem
        self._server = LoopbackServer(self._api, context=identity.context)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends, and forgets everything."""
        self._stopping.set()
        self._thread.join()
        self.store.history.close()
        self._server.close()

    @property
    def url(self) -> str:
        """Where the API server listens."""
        return self._server.url

    @property
    def requests(self) -> Sequence[Request]:
        """What the API server was asked so far."""
        return self._api.requests

    def apply(self, documents: Iterable[Document]) -> None:
        """Creates each object or, where there is one of its name, merges it in; as an administrator would."""
        for document in documents:
            kind, namespace = (
                BY_NAME[document["apiVersion"], document["kind"]],
                document["metadata"].get("namespace", ""),
            )
            with self.store.lock:
                old = self.store.find(kind, namespace, document["metadata"]["name"])
                if old is None:
                    self._writing.create(kind, namespace, document)
                else:
                    self._writing.patch(kind, namespace, document["metadata"]["name"], document)

    def find(self, kind: Kind, namespace: str) -> list[Document]:
        """The objects of *kind* in *namespace*, by name."""
        with self.store.lock:
            return sorted(self.store.all(kind, namespace), key=lambda one: str(one["metadata"]["name"]))

    def step(self, moment: datetime) -> None:
        """Lets the controllers look once, as of *moment*."""
        with self.store.lock:
            for controller in self._controllers:
                controller.step(moment)

    def _run(self) -> None:
        """Step after each change, as controllers that watch do."""
        while not self._stopping.wait(PAUSE_SECONDS):
            seen = self.store.version
            self.step(datetime.now(UTC))
            with self.store.lock:
                self.store.history.since(seen, STEP_SECONDS)
