"""The target of a measurement, in a process of its own."""

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


class Measurement(NamedTuple):
    """Milliseconds of each request, CPU milliseconds of all requests, peak memory in MB, and the responses."""

    wall: list[float]
    cpu: float
    peak: float
    responses: list[Any]

    @property
    def each(self) -> float:
        """The median milliseconds of a request."""
        return statistics.median(self.wall)

    @property
    def cpu_each(self) -> float:
        """The CPU milliseconds of a request."""
        return self.cpu / len(self.wall)


class Target:
    """A process that handles requests with *entry*, `module:function`, from *folders*; a context manager."""

    def __init__(self, entry: str, folders: Sequence[Path], environment: Mapping[str, str]) -> None:
        self._entry = entry
        variables = {"PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            # Without site, as in a Lambda, so the packages of the benchmark's environment are not visible.
            [sys.executable, "-S", str(HERE / "worker.py"), entry],
            env=dict(environment) | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        """Return the target, which already runs."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()

    def run(self, requests: Sequence[object], expected: Collection[object]) -> Measurement:
        """Send *requests* and return the measurement; raise AssertionError if a response is not *expected*."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(requests) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        measurement = Measurement(**json.loads(line or "null"))
        if not set(measurement.responses) <= set(expected):
            raise AssertionError(f"{self._entry} returned {set(measurement.responses)} instead of {expected}")
        return measurement
