"""How long a request may still take: set once at its start and carried by hand to every call it makes."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The deadline in *seconds* from now."""
        return cls(time.monotonic() + seconds)

    def within(self, seconds: float) -> Deadline:
        """This deadline, or the one in *seconds* from now where that is sooner."""
        return Deadline(min(self.at, time.monotonic() + seconds))

    def before(self, seconds: float) -> Deadline:
        """The deadline that leaves *seconds* of this one."""
        return Deadline(self.at - seconds)

    @property
    def remaining(self) -> float:
        """Seconds left; never negative."""
        return max(0.0, self.at - time.monotonic())
