"""A TTL cache for the results of access reviews."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_ENTRIES = 10_000


class TtlCache(Generic[Key, Value]):
    """Values by key, each for *seconds*; at most MAX_ENTRIES, then the cache is cleared."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._entries: dict[Key, tuple[float, Value]] = {}

    def get_or_load(self, key: Key, load: Callable[[], Value]) -> Value:
        """Return the cached value of *key*, or *load* and cache it if there is none or it has expired."""
        entry = self._entries.get(key)
        if entry and self._clock() < entry[0]:
            return entry[1]
        value = load()
        if len(self._entries) >= MAX_ENTRIES:
            self._entries.clear()
        self._entries[key] = (self._clock() + self._seconds, value)
        return value
