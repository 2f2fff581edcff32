"""A watch: a stream of changes, one line of JSON for each event.

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

DEFAULT_SECONDS = 1800
"""The duration of a watch without timeoutSeconds."""


class Watch:
    """A watch for the matching objects of *kind* in *namespace* or in all."""

    def __init__(self, store: Store, kind: Kind, namespace: str | None, matches: Callable[[Document], bool]) -> None:
        self._store = store
        self._kind = kind
        self._namespace = namespace
        self._matches = matches

    def events(self, version: str, seconds: int) -> Iterator[bytes]:
        """Yield the events after *version* for *seconds*; without a version, first ADDED for each existing object."""
        end = time.monotonic() + seconds
        after, initial = self._start(version)
        yield from initial
        while not self._store.history.closed and (remaining := end - time.monotonic()) > 0:
            with self._store.lock:
                changes = self._store.history.since(after, remaining)
                after = self._store.version
            yield from (line for change in changes for line in self._lines(change))

    def _start(self, version: str) -> tuple[int, list[bytes]]:
        """Return the version to continue from and the events before it."""
        with self._store.lock:
            if version in ("", "0"):
                existing = [each for each in self._store.all(self._kind, self._namespace) if self._matches(each)]
                return self._store.version, [_line("ADDED", each) for each in existing]
            if self._store.history.has_since(int(version)):
                return int(version), []
            message = f"too old resource version: {version} ({self._store.version})"
            return self._store.version, [_line("ERROR", StatusError(410, "Expired", message).status)]

    def _lines(self, change: WatchEvent) -> Iterator[bytes]:
        """Return the event of *change* in this watch; an object that no longer matches is reported as deleted."""
        if change.kind is not self._kind or self._namespace not in (None, change.namespace):
            return
        old, new = (each if each and self._matches(each) else None for each in (change.before, change.after))
        if new:
            yield _line("MODIFIED" if old else "ADDED", new)
        elif old:
            last = change.after or old
            yield _line("DELETED", {**last, "metadata": {**last["metadata"], "resourceVersion": str(change.version)}})


def _line(kind: str, document: Document) -> bytes:
    return encode({"type": kind, "object": document}) + b"\n"
