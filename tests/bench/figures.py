"""Results: samples of one measurement, and comparisons of measurements that were taken in turns."""

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
    """Median and range of *rounds* samples of *what*, in *unit*."""

    what: str
    unit: str
    median: float
    minimum: float
    maximum: float
    rounds: int

    @classmethod
    def of(cls, what: str, unit: str, samples: Iterable[float]) -> Figure:
        """Return the figure of *samples*."""
        values = sorted(samples)
        return cls(what, unit, statistics.median(values), values[0], values[-1], len(values))

    def __str__(self) -> str:
        """Return the figure as it is printed in the table."""
        if self.rounds == 1:
            return f"{_short(self.median)} {self.unit}"
        return f"{_short(self.median)} ({_short(self.minimum)} to {_short(self.maximum)}) {self.unit}"


@dataclass(frozen=True)
class Comparison:
    """The product's figure, that of a peer or a floor, and the goal: at most *goal* times the other."""

    ours: Figure
    other: Figure
    goal: float | None = None

    @property
    def ratio(self) -> float:
        """The product's median divided by the other's."""
        return self.ours.median / self.other.median

    @property
    def row(self) -> str:
        """The row of the table."""
        goal_text = "" if self.goal is None else f"<= {self.goal:.3g}"
        missed = "" if self.goal is None or self.ratio <= self.goal else " **missed**"
        ratio = f"{self.ratio:.2f}" if self.ratio >= 0.1 else f"{self.ratio:.3f}"
        return f"| {self.ours.what} | {self.ours} | {self.other.what}: {self.other} | {ratio}{missed} | {goal_text} |"


@dataclass(frozen=True)
class Limit:
    """The product's figure with an optional limit in the same unit."""

    ours: Figure
    maximum: float | None = None

    @property
    def row(self) -> str:
        """The row of the table."""
        goal_text = "" if self.maximum is None else f"<= {self.maximum:g} {self.ours.unit}"
        missed = "" if self.maximum is None or self.ours.median <= self.maximum else " **missed**"
        return f"| {self.ours.what} | {self.ours}{missed} | | | {goal_text} |"


Result = Comparison | Limit
HEAD = "| what | measured | compared with, in the same run | ratio | goal |\n|---|---|---|---|---|"


def table(results: Iterable[Result]) -> str:
    """Return the table."""
    return "\n".join([HEAD, *(result.row for result in results)])


def as_json(results: Iterable[Result]) -> list[dict[str, Any]]:
    """Return the results as JSON."""
    return [{"kind": type(result).__name__, **asdict(result)} for result in results]


def in_turns(targets: Mapping[str, Callable[[], Sample]], rounds: int) -> dict[str, list[Sample]]:
    """Return samples of each target, taken in turns so that a slow moment affects all; the first round is discarded.

    Each round begins with another target, so that the order varies.
    """
    values: dict[str, list[Sample]] = {name: [] for name in targets}
    order = deque(targets.items())
    for number in range(rounds + 1):
        order.rotate(-1)
        for name, measure in order:
            sample = measure()
            if number:
                values[name].append(sample)
    return values


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
