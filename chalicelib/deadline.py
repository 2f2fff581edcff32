"""How long a request may still take: set once at its start and carried by hand to every call it makes.

The request's id goes along, and the list of what its calls took, so that the cluster's log and ours can be joined.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock, by which the request of that id is answered."""

    at: float
    request_id: str = ""
    attempts: list[float] = field(default_factory=list, compare=False)
    """Seconds that each attempt to reach the cluster took; one list for all deadlines made from one."""

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The deadline in *seconds* from now."""
        return cls(time.monotonic() + seconds)

    def moved(self, at: float) -> Deadline:
        """The deadline of the same request at another moment."""
        return replace(self, at=at)

    def within(self, seconds: float) -> Deadline:
        """This deadline, or the one in *seconds* from now where that is sooner."""
        return self.moved(min(self.at, time.monotonic() + seconds))

    def before(self, seconds: float) -> Deadline:
        """The deadline that leaves *seconds* of this one."""
        return self.moved(self.at - seconds)

    @property
    def remaining(self) -> float:
        """Seconds left; never negative."""
        return max(0.0, self.at - time.monotonic())
