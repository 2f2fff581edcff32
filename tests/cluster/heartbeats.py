"""The heartbeats of simulated nodes: a Lease for each node, which a thread renews."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from tests.cluster.json_client import ErrorResponse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.cluster.json_client import JsonClient

SECONDS = 1.0
"""The time between two heartbeats."""
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


class Heartbeats:
    """Renews the Leases of the nodes *names* through *client* inside the context."""

    def __init__(self, client: JsonClient, names: Iterable[str]) -> None:
        self._client = client
        self._names = set(names)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        """Start the heartbeats."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all heartbeats."""
        self._stopping.set()
        self._thread.join()

    def stop(self, name: str) -> None:
        """Stop the heartbeats of the node *name*, as if it were lost."""
        self._names.discard(name)

    def _run(self) -> None:
        while not self._stopping.is_set():
            for name in sorted(self._names):
                self._renew(name)
            self._stopping.wait(SECONDS)

    def _renew(self, name: str) -> None:
        renewed = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": renewed}
        try:
            self._client.patch(f"{_LEASES}/{name}", {"spec": spec})
        except ErrorResponse as error:
            if error.status != 404:
                raise
            self._client.create(_LEASES, {"metadata": {"name": name}, "spec": spec})
