"""Verdicts of the cluster that are good for a while, so that not every request asks for them again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_ENTRIES = 10_000


class TtlCache(Generic[Key, Value]):
    """Verdicts by their key, each for *seconds*; at most MAX_KEPT of them."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._verdicts: dict[Key, tuple[float, Value]] = {}

    def get_or_load(self, key: Key, ask: Callable[[], Value]) -> Value:
        """The verdict under *key*, which is asked for when there is none, or an old one."""
        kept = self._verdicts.get(key)
        if kept and self._clock() < kept[0]:
            return kept[1]
        verdict = ask()
        if len(self._verdicts) >= MAX_ENTRIES:
            self._verdicts.clear()
        self._verdicts[key] = (self._clock() + self._seconds, verdict)
        return verdict
