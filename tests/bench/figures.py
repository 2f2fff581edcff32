"""What was measured: samples of one thing, and how two things compare that were measured in turns."""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Sample = TypeVar("Sample")

ROUNDS = 15


@dataclass(frozen=True)
class Figure:
    """Median and spread of *rounds* samples of *what*, in *unit*."""

    what: str
    unit: str
    median: float
    least: float
    most: float
    rounds: int

    @classmethod
    def of(cls, what: str, unit: str, samples: Iterable[float]) -> Figure:
        """The figure of *samples*."""
        seen = sorted(samples)
        return cls(what, unit, statistics.median(seen), seen[0], seen[-1], len(seen))

    def __str__(self) -> str:
        """As it stands in a table."""
        if self.rounds == 1:
            return f"{_short(self.median)} {self.unit}"
        return f"{_short(self.median)} ({_short(self.least)} to {_short(self.most)}) {self.unit}"


@dataclass(frozen=True)
class Comparison:
    """Our figure against a peer's or a floor's, and how far it should reach: at most *reach* times as much."""

    ours: Figure
    other: Figure
    reach: float | None = None

    @property
    def ratio(self) -> float:
        """Ours by the other's."""
        return self.ours.median / self.other.median

    @property
    def row(self) -> str:
        """A row of the table."""
        wanted = "" if self.reach is None else f"<= {self.reach:.3g}"
        met = "" if self.reach is None or self.ratio <= self.reach else " **missed**"
        ratio = f"{self.ratio:.2f}" if self.ratio >= 0.1 else f"{self.ratio:.3f}"
        return f"| {self.ours.what} | {self.ours} | {self.other.what}: {self.other} | {ratio}{met} | {wanted} |"


@dataclass(frozen=True)
class Limit:
    """Our figure against a limit of its own unit."""

    ours: Figure
    most: float | None = None

    @property
    def row(self) -> str:
        """A row of the table."""
        wanted = "" if self.most is None else f"<= {self.most:g} {self.ours.unit}"
        met = "" if self.most is None or self.ours.median <= self.most else " **missed**"
        return f"| {self.ours.what} | {self.ours}{met} | | | {wanted} |"


Result = Comparison | Limit
HEAD = "| what | measured | beside it, in the same run | ratio | reach |\n|---|---|---|---|---|"


def table(results: Iterable[Result]) -> str:
    """The rows under their head."""
    return "\n".join([HEAD, *(result.row for result in results)])


def as_json(results: Iterable[Result]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [{"kind": type(result).__name__, **asdict(result)} for result in results]


def in_turns(subjects: Mapping[str, Callable[[], Sample]], rounds: int) -> dict[str, list[Sample]]:
    """Samples of each subject, taken in turns so that a slow moment meets all of them; a first one is left out.

    Each round begins with the next subject, so that none always comes after the same.
    """
    seen: dict[str, list[Sample]] = {name: [] for name in subjects}
    order = deque(subjects.items())
    for number in range(rounds + 1):
        order.rotate(-1)
        for name, measured in order:
            sample = measured()
            if number:
                seen[name].append(sample)
    return seen


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
