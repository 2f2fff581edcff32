"""The objects of the embedded API: versions, lists by pages, and what goes when its owner goes."""

from __future__ import annotations

import threading
import uuid
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from infra.localcluster import list_pages
from infra.localcluster.event_history import EventHistory, WatchEvent
from infra.localcluster.kinds import KINDS, NAMESPACE, Document, Kind
from infra.localcluster.status_errors import StatusError, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Key = tuple[str, str]
"""Namespace (empty outside of any) and name: the order of lists."""


def now() -> str:
    """The time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Store:
    """All objects. One lock: whoever holds it sees nothing half done."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.history = EventHistory(self.lock)
        self.version = 1
        self.oldest_page = 0
        """Page tokens of older versions have expired."""
        self._objects: dict[Kind, dict[Key, Document]] = {kind: {} for kind in KINDS}
        self._owned: dict[str, set[tuple[Kind, Key]]] = defaultdict(set)

    def get(self, kind: Kind, namespace: str, name: str) -> Document:
        """The object itself, which is not to be changed; Refusal 404 when there is none."""
        try:
            return self._objects[kind][namespace, name]
        except KeyError:
            raise not_found(kind.resource, name) from None

    def find(self, kind: Kind, namespace: str, name: str) -> Document | None:
        """The object itself, or None."""
        return self._objects[kind].get((namespace, name))

    def all(self, kind: Kind, namespace: str | None = None) -> Iterator[Document]:
        """The objects of *kind* themselves, in *namespace* or everywhere, in no order."""
        for (place, _), document in list(self._objects[kind].items()):
            if namespace in (None, place):
                yield document

    def check_free(self, kind: Kind, namespace: str, name: str) -> None:
        """Refusal 409 when there is an object of that name."""
        if (namespace, name) in self._objects[kind]:
            message = f'{kind.resource} "{name}" already exists'
            raise StatusError(409, "AlreadyExists", message, name=name, group=kind.group, kind=kind.plural)

    def identify(self, metadata: Document) -> None:
        """Gives the *metadata* of a new object its uid and its age."""
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": now(), "generation": 1}

    def add(self, kind: Kind, namespace: str, document: Document) -> Document:
        """Stores a new object, whose name is free, under a new version."""
        with self.lock:
            return self._put(kind, (namespace, document["metadata"]["name"]), document)

    def replace(self, kind: Kind, document: Document) -> Document:
        """Stores a changed object under a new version."""
        with self.lock:
            meta = document["metadata"]
            return self._put(kind, (meta.get("namespace", ""), meta["name"]), document)

    def remove(self, kind: Kind, namespace: str, name: str, *, orphan: bool = False) -> None:
        """Removes the object, and what it owns unless that is to be left as an *orphan*."""
        with self.lock:
            document = self.get(kind, namespace, name)
            del self._objects[kind][namespace, name]
            self.version += 1
            self.history.note(WatchEvent(self.version, kind, namespace, document, None))
            for owned, key in self._owned.pop(document["metadata"]["uid"], ()):
                if key in self._objects[owned] and not orphan:
                    self.remove(owned, *key)
            if kind is NAMESPACE:
                self._empty(name)

    def page(
        self, kind: Kind, namespace: str | None, matches: Callable[[Document], bool], limit: int, token: str
    ) -> Document:
        """A list of at most *limit* objects that match, from where the page of *token* ended."""
        with self.lock:
            start, version = self._start(namespace, token) if token else (("", ""), self.version)
            rows = sorted(
                (key, document)
                for key, document in self._objects[kind].items()
                if namespace in (None, key[0]) and key >= start and matches(document)
            )
            shown = rows[:limit] if limit else rows
            meta: Document = {"resourceVersion": str(version)}
            if len(shown) < len(rows):
                meta["continue"] = list_pages.token_after(namespace, shown[-1][0], version)
                meta["remainingItemCount"] = len(rows) - len(shown)
            return {
                "kind": f"{kind.name}List",
                "apiVersion": kind.api_version,
                "metadata": meta,
                "items": [_without_kind(document) for _, document in shown],
            }

    def owned_by(self, uid: str, kind: Kind) -> list[Document]:
        """The objects of *kind* that the object with *uid* owns, oldest first."""
        keys = [key for owned, key in self._owned.get(uid, ()) if owned is kind and key in self._objects[kind]]
        return sorted((self._objects[kind][key] for key in keys), key=lambda one: one["metadata"]["resourceVersion"])

    def _put(self, kind: Kind, key: Key, document: Document) -> Document:
        self.version += 1
        document["metadata"]["resourceVersion"] = str(self.version)
        self.history.note(WatchEvent(self.version, kind, key[0], self._objects[kind].get(key), document))
        self._objects[kind][key] = document
        for owner in document["metadata"].get("ownerReferences", ()):
            self._owned[owner["uid"]].add((kind, key))
        return document

    def _empty(self, namespace: str) -> None:
        for kind in KINDS:
            for place, name in _in(namespace, self._objects[kind]):
                self.remove(kind, place, name)

    def _start(self, namespace: str | None, token: str) -> tuple[Key, int]:
        start, version = list_pages.parse_token(namespace, token)
        if version > self.version:  # a real API server waits three seconds for it
            told = f"Timeout: Too large resource version: {version}, current: {self.version}"
            raise StatusError(504, "Timeout", told, retryAfterSeconds=1)
        if 0 <= version < self.oldest_page:
            message = "The provided continue parameter is too old to display a consistent list result."
            raise StatusError(410, "Expired", message)
        return start, self.version if version < 0 else version


def _without_kind(document: Document) -> Document:
    """An item of a list, which says for all of them what they are."""
    return {field: value for field, value in document.items() if field not in ("kind", "apiVersion")}


def _in(namespace: str, keys: Iterable[Key]) -> list[Key]:
    return [key for key in keys if key[0] == namespace]
