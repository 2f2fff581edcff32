"""The last changes of the embedded API's objects, for those who watch them."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from infra.localcluster.kinds import Document, Kind

REMEMBERED = 10_000
"""Changes; who wants to go on from an older version is told that it has expired."""


class WatchEvent(NamedTuple):
    """What an object was and what it became; None before it was made, and after it was removed."""

    version: int
    kind: Kind
    namespace: str
    before: Document | None
    after: Document | None


class EventHistory:
    """Changes in their order. *lock* is the one under which they happen."""

    def __init__(self, lock: threading.RLock) -> None:
        self._changes: deque[WatchEvent] = deque(maxlen=REMEMBERED)
        self._changed = threading.Condition(lock)
        self._forgotten = 0
        self.closed = False

    def note(self, change: WatchEvent) -> None:
        """Remembers *change*, and wakes those who wait for one."""
        if len(self._changes) == REMEMBERED:
            self._forgotten = self._changes[0].version
        self._changes.append(change)
        self._changed.notify_all()

    def knows(self, version: int) -> bool:
        """Whether everything since *version* is remembered."""
        return version >= self._forgotten

    def since(self, version: int, seconds: float) -> list[WatchEvent]:
        """The changes after *version*, which has to be known; empty when there are none within *seconds*."""
        found = self._after(version)
        if not found and not self.closed and self._changed.wait(seconds):
            found = self._after(version)
        return found

    def close(self) -> None:
        """Lets nobody wait any longer."""
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
