"""The deadline of a request: set when the request starts, and passed explicitly to every call that it makes.

A Deadline also carries the request id, so that the cluster's audit log and the request log can be joined, and collects
how long each call to the cluster took.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Deadline:
    """A time on the monotonic clock by which the request with *request_id* must have its response."""

    at: float
    request_id: str = ""
    attempts: list[float] = field(default_factory=list, compare=False)
    """Duration of each attempt to reach the cluster, in seconds; deadlines derived from this one share the list."""

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return a deadline *seconds* from now."""
        return cls(time.monotonic() + seconds)

    def moved(self, at: float) -> Deadline:
        """Return the deadline of the same request at another time."""
        return replace(self, at=at)

    def within(self, seconds: float) -> Deadline:
        """Return the earlier of this deadline and *seconds* from now."""
        return self.moved(min(self.at, time.monotonic() + seconds))

    def before(self, seconds: float) -> Deadline:
        """Return the deadline *seconds* before this one."""
        return self.moved(self.at - seconds)

    @property
    def remaining(self) -> float:
        """The seconds left; never negative."""
        return max(0.0, self.at - time.monotonic())
