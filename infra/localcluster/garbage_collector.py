"""The garbage collector, for what a client makes: a Service may come when the Job that owns it has gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.localcluster.kinds import BY_NAME, SERVICE

if TYPE_CHECKING:
    from datetime import datetime

    from infra.localcluster.kinds import Document
    from infra.localcluster.store import Store


class GarbageCollector:
    """Removes Services from *store* none of whose owners is there; the store itself removes what a Job leaves."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def step(self, moment: datetime) -> None:
        """Looks at every Service."""
        del moment
        for service in self._store.all(SERVICE):
            metadata = service["metadata"]
            owners = metadata.get("ownerReferences", ())
            if owners and not any(self._is_there(owner, metadata["namespace"]) for owner in owners):
                self._store.remove(SERVICE, metadata["namespace"], metadata["name"])

    def _is_there(self, owner: Document, namespace: str) -> bool:
        found = self._store.find(BY_NAME[owner["apiVersion"], owner["kind"]], namespace, owner["name"])
        return found is not None and found["metadata"]["uid"] == owner["uid"]
