"""The last changes of the objects in the store, for watches."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from infra.localcluster.kinds import Document, Kind

MAX_CHANGES = 10_000
"""The number of changes; a watch from an older version receives 410 Expired."""


class WatchEvent(NamedTuple):
    """A change of an object; *before* is None for a new object, *after* for a deleted one."""

    version: int
    kind: Kind
    namespace: str
    before: Document | None
    after: Document | None


class EventHistory:
    """Changes in order; *lock* is the lock of the store."""

    def __init__(self, lock: threading.RLock) -> None:
        self._changes: deque[WatchEvent] = deque(maxlen=MAX_CHANGES)
        self._changed = threading.Condition(lock)
        self._oldest = 0
        self.closed = False

    def append(self, change: WatchEvent) -> None:
        """Add *change* and wake up the waiting watches."""
        if len(self._changes) == MAX_CHANGES:
            self._oldest = self._changes[0].version
        self._changes.append(change)
        self._changed.notify_all()

    def has_since(self, version: int) -> bool:
        """Return whether all changes since *version* are available."""
        return version >= self._oldest

    def since(self, version: int, seconds: float) -> list[WatchEvent]:
        """Return the changes after *version*, which must be available; wait up to *seconds* for one."""
        found = self._after(version)
        if not found and not self.closed and self._changed.wait(seconds):
            found = self._after(version)
        return found

    def close(self) -> None:
        """Wake up all waiting watches; none waits again."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def _after(self, version: int) -> list[WatchEvent]:
        found = []
        for change in reversed(self._changes):
            if change.version <= version:
                break
            found.append(change)
        return found[::-1]
