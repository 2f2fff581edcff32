"""The objects of the embedded API, with resource versions, paginated lists and cascading deletion."""

from __future__ import annotations

import threading
import uuid
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from infra.localcluster import list_pages
from infra.localcluster.event_history import EventHistory, WatchEvent
from infra.localcluster.kinds import KINDS, NAMESPACE, POD, Document, Kind
from infra.localcluster.status_errors import StatusError, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Key = tuple[str, str]
"""Namespace (empty for cluster-scoped objects) and name: the order of lists."""


def now() -> str:
    """Return the current time in the format of Kubernetes."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Store:
    """All objects. Its lock makes compound operations atomic."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.history = EventHistory(self.lock)
        self.version = 1
        self.oldest_page = 0
        """Continue tokens of older versions have expired."""
        self._objects: dict[Kind, dict[Key, Document]] = {kind: {} for kind in KINDS}
        self._owned: dict[str, set[tuple[Kind, Key]]] = defaultdict(set)

    def get(self, kind: Kind, namespace: str, name: str) -> Document:
        """Return the object itself, which must not be modified; raise StatusError 404 if it does not exist."""
        try:
            return self._objects[kind][namespace, name]
        except KeyError:
            raise not_found(kind.resource, name) from None

    def find(self, kind: Kind, namespace: str, name: str) -> Document | None:
        """Return the object itself, or None."""
        return self._objects[kind].get((namespace, name))

    def all(self, kind: Kind, namespace: str | None = None) -> Iterator[Document]:
        """Yield the objects of *kind* themselves, in *namespace* or in all, unordered."""
        for (object_namespace, _), document in list(self._objects[kind].items()):
            if namespace in (None, object_namespace):
                yield document

    def check_free(self, kind: Kind, namespace: str, name: str) -> None:
        """Raise StatusError 409 if an object of that name exists."""
        if (namespace, name) in self._objects[kind]:
            message = f'{kind.resource} "{name}" already exists'
            raise StatusError(409, "AlreadyExists", message, name=name, group=kind.group, kind=kind.plural)

    def identify(self, metadata: Document) -> None:
        """Set UID, creation time and generation in the *metadata* of a new object."""
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": now(), "generation": 1}

    def add(self, kind: Kind, namespace: str, document: Document) -> Document:
        """Store a new object, whose name must be free, with a new resource version."""
        with self.lock:
            return self._put(kind, (namespace, document["metadata"]["name"]), document)

    def replace(self, kind: Kind, document: Document) -> Document:
        """Store a changed object with a new resource version."""
        with self.lock:
            metadata = document["metadata"]
            return self._put(kind, (metadata.get("namespace", ""), metadata["name"]), document)

    def remove(self, kind: Kind, namespace: str, name: str, *, orphan: bool = False) -> None:
        """Remove the object and, unless *orphan* is set, its dependents except pods, which end gracefully."""
        with self.lock:
            document = self.get(kind, namespace, name)
            del self._objects[kind][namespace, name]
            self.version += 1
            self.history.append(WatchEvent(self.version, kind, namespace, document, None))
            for owned, key in list(self._owned.get(document["metadata"]["uid"], ())):
                if key in self._objects[owned] and owned is not POD and not orphan:
                    self.remove(owned, *key)
            if kind is NAMESPACE:
                self._remove_namespace_content(name)

    def page(
        self, kind: Kind, namespace: str | None, matches: Callable[[Document], bool], limit: int, token: str
    ) -> Document:
        """Return a list of at most *limit* matching objects, starting at the page of *token*."""
        with self.lock:
            start, version = self._start(namespace, token) if token else (("", ""), self.version)
            rows = sorted(
                (key, document)
                for key, document in self._objects[kind].items()
                if namespace in (None, key[0]) and key >= start and matches(document)
            )
            items = rows[:limit] if limit else rows
            metadata: Document = {"resourceVersion": str(version)}
            if len(items) < len(rows):
                metadata["continue"] = list_pages.token_after(namespace, items[-1][0], version)
                metadata["remainingItemCount"] = len(rows) - len(items)
            return {
                "kind": f"{kind.name}List",
                "apiVersion": kind.api_version,
                "metadata": metadata,
                "items": [_without_kind(document) for _, document in items],
            }

    def owned_by(self, uid: str, kind: Kind) -> list[Document]:
        """Return the objects of *kind* whose owner has *uid*, oldest first."""
        keys = [key for owned, key in self._owned.get(uid, ()) if owned is kind and key in self._objects[kind]]
        return sorted((self._objects[kind][key] for key in keys), key=lambda each: each["metadata"]["resourceVersion"])

    def _put(self, kind: Kind, key: Key, document: Document) -> Document:
        self.version += 1
        document["metadata"]["resourceVersion"] = str(self.version)
        self.history.append(WatchEvent(self.version, kind, key[0], self._objects[kind].get(key), document))
        self._objects[kind][key] = document
        for owner in document["metadata"].get("ownerReferences", ()):
            self._owned[owner["uid"]].add((kind, key))
        return document

    def _remove_namespace_content(self, namespace: str) -> None:
        for kind in KINDS:
            for object_namespace, name in _keys_in(namespace, self._objects[kind]):
                self.remove(kind, object_namespace, name)

    def _start(self, namespace: str | None, token: str) -> tuple[Key, int]:
        start, version = list_pages.parse_token(namespace, token)
        if version > self.version:  # a real API server waits three seconds for the version
            message = f"Timeout: Too large resource version: {version}, current: {self.version}"
            raise StatusError(504, "Timeout", message, retryAfterSeconds=1)
        if 0 <= version < self.oldest_page:
            message = "The provided continue parameter is too old to display a consistent list result."
            raise StatusError(410, "Expired", message)
        return start, self.version if version < 0 else version


def _without_kind(document: Document) -> Document:
    """Return a list item, which has no kind: the list has it for all."""
    return {field: value for field, value in document.items() if field not in ("kind", "apiVersion")}


def _keys_in(namespace: str, keys: Iterable[Key]) -> list[Key]:
    return [key for key in keys if key[0] == namespace]
