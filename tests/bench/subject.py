"""A subject of a measurement, in a process of its own."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

HERE = Path(__file__).parent


class Measured(NamedTuple):
    """Milliseconds of each request, of the processor for all; MB at the peak; the answers."""

    wall: list[float]
    cpu: float
    peak: float
    answers: list[Any]

    @property
    def each(self) -> float:
        """The median milliseconds of a request."""
        return statistics.median(self.wall)

    @property
    def busy(self) -> float:
        """The processor's milliseconds of a request."""
        return self.cpu / len(self.wall)


class Subject:
    """A process that answers by *entry*, `module:function`, found in *folders*, until it is left."""

    def __init__(self, entry: str, folders: Sequence[Path], environment: Mapping[str, str]) -> None:
        self._entry = entry
        given = {"PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            # Without site, as in a Lambda: the environment that runs the bench is not there.
            [sys.executable, "-S", str(HERE / "worker.py"), entry],
            env=dict(environment) | given,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        """It runs already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()

    def ask(self, requests: Sequence[object], expected: Collection[object]) -> Measured:
        """What *requests* took; AssertionError for an answer that is not *expected*."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(requests) + "\n")
        self._process.stdin.flush()
        told = self._process.stdout.readline()
        measured = Measured(**json.loads(told or "null"))
        if not set(measured.answers) <= set(expected):
            raise AssertionError(f"{self._entry} answered {set(measured.answers)} instead of {expected}")
        return measured
