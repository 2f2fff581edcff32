"""The requests that a function sends, counted where they arrive: at the issuer, at AWS, and at the API server.

A row describes the requests of one invocation in their order: `2 issuer, sts, cluster|cluster` is two requests to the
issuer, one after the other, then one to STS, then two to the cluster at the same time. The servers check the order and
hold each request of a parallel step until all requests of the step have arrived. So the count does not depend on the
speed of the machine: requests that are sent one after another never meet, and the step fails after HOLD_SECONDS.
The number of steps is an upper bound: nothing here proves that two steps of a row wait for each other.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOLD_SECONDS = 2.0
"""How long a request waits for those that are sent at the same time: less than any time-out of the product."""

Step = Counter[str]
"""A set of requests that are sent at the same time, by target."""


class Trip(NamedTuple):
    """A request that arrived; *note* describes how it differs from the row, if it does."""

    target: str
    request: str
    note: str = ""


def steps(row: str) -> list[Step]:
    """Return the steps that *row* describes."""
    found: list[Step] = []
    for part in row.split(", ") if row else ():
        times, _, targets = part.rpartition(" ")
        found += [Counter(targets.split("|")) for _ in range(int(times or 1))]
    return found


def total(row: str) -> Counter[str]:
    """Return the number of requests in *row*, by target."""
    return sum(steps(row), Counter())


def differences(row: str, trips: Sequence[Trip]) -> list[str]:
    """Return the differences between *trips* and *row*."""
    expected, seen = total(row), Counter(trip.target for trip in trips)
    found = [
        f"{seen[target]} requests to {target} instead of {expected[target]}"
        for target in sorted(expected | seen)
        if seen[target] != expected[target]
    ]
    return found or [f"{trip.target} {trip.request} {trip.note}" for trip in trips if trip.note]


class Gate:
    """Compares the requests that arrive with a row, and holds those that must be sent at the same time."""

    def __init__(self, hold_seconds: float = HOLD_SECONDS) -> None:
        self._hold_seconds = hold_seconds
        self._changed = threading.Condition()
        self._steps: list[Step] = []
        self._passed = 0
        self._trips: list[Trip] | None = None

    @contextmanager
    def counting(self, row: str) -> Iterator[list[Trip]]:
        """Count against *row* until the block ends; requests at other times pass without being counted."""
        trips: list[Trip] = []
        with self._changed:
            self._steps, self._passed, self._trips = steps(row), 0, trips
        try:
            yield trips
        finally:
            with self._changed:
                self._trips = None

    def arrive(self, target: str, request: str) -> None:
        """Count a *request* to *target*; return when it may be answered."""
        with self._changed:
            if self._trips is not None:
                self._trips.append(Trip(target, request, self._note(target)))

    def _note(self, target: str) -> str:
        """Return what is wrong with a request to *target* now, once it may be answered."""
        number = self._passed
        if number == len(self._steps) or not self._steps[number][target]:
            return "was not expected at this place"
        self._steps[number][target] -= 1
        if not self._steps[number].total():
            self._passed += 1
            self._changed.notify_all()
        elif not self._changed.wait_for(lambda: self._passed > number, self._hold_seconds):
            return "was sent alone, not in parallel"
        return ""
