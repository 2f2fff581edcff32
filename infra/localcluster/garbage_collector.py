"""The garbage collector for Services, which a client may create after their owner was deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.localcluster.kinds import BY_NAME, SERVICE

if TYPE_CHECKING:
    from datetime import datetime

    from infra.localcluster.kinds import Document
    from infra.localcluster.store import Store


class GarbageCollector:
    """Deletes Services in *store* whose owners are all gone; the store deletes the other dependents of a Job."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def step(self, moment: datetime) -> None:
        """Check every Service."""
        del moment
        for service in self._store.all(SERVICE):
            metadata = service["metadata"]
            owners = metadata.get("ownerReferences", ())
            if owners and not any(self._exists(owner, metadata["namespace"]) for owner in owners):
                self._store.remove(SERVICE, metadata["namespace"], metadata["name"])

    def _exists(self, owner: Document, namespace: str) -> bool:
        found = self._store.find(BY_NAME[owner["apiVersion"], owner["kind"]], namespace, owner["name"])
        return found is not None and found["metadata"]["uid"] == owner["uid"]
