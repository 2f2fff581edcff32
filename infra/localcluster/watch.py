"""A watch: what happens to objects, one line of JSON for each event.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from infra.localcluster.go_json import encode
from infra.localcluster.status_errors import StatusError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.localcluster.event_history import WatchEvent
    from infra.localcluster.kinds import Document, Kind
    from infra.localcluster.store import Store

ENDLESS = 1800
"""Seconds that a watch lasts whose client does not say."""


class Watch:
    """The objects of *kind* in *namespace*, or everywhere, that match."""

    def __init__(self, store: Store, kind: Kind, namespace: str | None, matches: Callable[[Document], bool]) -> None:
        self._store = store
        self._kind = kind
        self._namespace = namespace
        self._matches = matches

    def events(self, version: str, seconds: int) -> Iterator[bytes]:
        """The events after *version* for *seconds*; without one, first of all those of objects that are there."""
        end = time.monotonic() + seconds
        after, first = self._start(version)
        yield from first
        while not self._store.history.closed and (left := end - time.monotonic()) > 0:
            with self._store.lock:
                changes = self._store.history.since(after, left)
                after = self._store.version
            yield from (line for change in changes for line in self._lines(change))

    def _start(self, version: str) -> tuple[int, list[bytes]]:
        """The version to go on from, and the events before it."""
        with self._store.lock:
            if version in ("", "0"):
                there = [one for one in self._store.all(self._kind, self._namespace) if self._matches(one)]
                return self._store.version, [_line("ADDED", one) for one in there]
            if self._store.history.knows(int(version)):
                return int(version), []
            message = f"too old resource version: {version} ({self._store.version})"
            return self._store.version, [_line("ERROR", StatusError(410, "Expired", message).status)]

    def _lines(self, change: WatchEvent) -> Iterator[bytes]:
        """The event that *change* is to this watch; an object that no longer matches is as good as deleted."""
        if change.kind is not self._kind or self._namespace not in (None, change.namespace):
            return
        was, now = (one if one and self._matches(one) else None for one in (change.before, change.after))
        if now:
            yield _line("MODIFIED" if was else "ADDED", now)
        elif was:
            last = change.after or was
            yield _line("DELETED", {**last, "metadata": {**last["metadata"], "resourceVersion": str(change.version)}})


def _line(kind: str, document: Document) -> bytes:
    return encode({"type": kind, "object": document}) + b"\n"
