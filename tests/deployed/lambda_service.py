"""AWS Lambda on this machine: functions by name, each with as many execution environments as concurrent events."""

from __future__ import annotations

import json
import threading
import uuid
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from tests.deployed.execution import Execution

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.deployed.execution import Function, Outcome

RUNTIME_PACKAGES = (
    "awslambdaric", "runtime_client*", "simplejson", "snapshot_restore_py*",
    "boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3",
)  # fmt: skip
"""The packages of the managed runtime: AWS's runtime client with its dependencies, and boto3."""


class LambdaService:
    """Runs functions inside the context; `lines` has their output by function."""

    def __init__(self) -> None:
        self.functions: dict[str, Function] = {}
        self.lines: dict[str, list[str]] = defaultdict(list)
        self._idle: dict[str, list[Execution]] = defaultdict(list)
        self._all: list[Execution] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Return the service; no environment starts before the first event."""
        return self

    def __exit__(self, *_: object) -> None:
        """End every environment."""
        self.forget()

    def forget(self) -> None:
        """End every environment, so that the next events have cold starts."""
        with self._lock:
            for execution in self._all:
                execution.close()
            self._all.clear()
            self._idle.clear()

    def deploy(self, function: Function) -> None:
        """Deploy *function*, and replace an older one with that name."""
        self.functions[function.name] = function

    def invoke(self, name: str, event: Mapping[str, Any]) -> Outcome:
        """Invoke the function and return the result; raise KeyError if there is no function with that name."""
        with self._execution(self.functions[name]) as execution:
            return execution.outcome(str(uuid.uuid4()), json.dumps(event).encode())

    def executions(self, name: str) -> list[Execution]:
        """Return the idle environments of a function."""
        return list(self._idle[name])

    @contextmanager
    def _execution(self, function: Function) -> Iterator[Execution]:
        """Yield a warm environment if there is one, else a cold one."""
        with self._lock:
            idle = self._idle[function.name]
            while idle and not idle[-1].alive:
                idle.pop()
            execution = idle.pop() if idle else None
        if execution is None:
            execution = Execution(function, self.lines[function.name].append)
            with self._lock:
                self._all.append(execution)
        yield execution
        with self._lock:
            if execution.alive:
                self._idle[function.name].append(execution)


def managed_runtime(packages: Path, folder: Path) -> Path:
    """Create *folder* with links to the installed packages of the managed runtime, and return it."""
    folder.mkdir()
    for pattern in RUNTIME_PACKAGES:
        found = [path for path in packages.glob(pattern) if path.suffix != ".dist-info"]
        assert found, pattern
        for path in found:
            (folder / path.name).symlink_to(path)
    return folder
