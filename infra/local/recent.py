"""A bounded memory: what was put in lately is found again, for a while."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Remembers values for *seconds*, and the latest *size* of them at most; for any number of threads."""

    def __init__(self, size: int, seconds: float) -> None:
        self._size = size
        self._seconds = seconds
        self._values: OrderedDict[bytes, tuple[float, Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: bytes, now: float) -> Value | None:
        """The value of *key*, or None when there is none any more."""
        with self._lock:
            until, value = self._values.get(key, (now, None))
            return value if now < until else None

    def put(self, key: bytes, value: Value, now: float) -> None:
        """Remembers *value*; the oldest makes room."""
        with self._lock:
            self._values.pop(key, None)
            self._values[key] = (now + self._seconds, value)
            if len(self._values) > self._size:
                self._values.popitem(last=False)
