"""Child processes that end together with this process, even if it is killed."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

# The guard reads a pipe that is never written to. It ends with this process, and then kills the process group.
_GUARD = ("sh", "-c", "cat >/dev/null; kill -KILL 0")

# Each process has its own range, so that no other one takes a port between its choice and its use.
_numbers = itertools.count(os.getpid() * 64)
_FIRST_PORT, _PORTS = 20_000, 12_000
"""Below the ephemeral ports, so that no outgoing connection takes a port between its choice and its use."""


class Processes:
    """Processes with a log file each, stopped in the reverse order of their start."""

    def __init__(self, logs: Path, timeout: float = 10) -> None:
        self._logs = logs
        self._timeout = timeout
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._guard = subprocess.Popen(_GUARD, stdin=subprocess.PIPE, process_group=0)

    def __enter__(self) -> Self:
        """Return the processes."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop every process."""
        self.stop()

    def start(self, name: str, *command: str) -> None:
        """Start *command*; its output goes to a log file with its name."""
        with (self._logs / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=self._guard.pid,
            )

    def check(self) -> None:
        """Raise RuntimeError with the end of its log if a process has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                log = (self._logs / f"{name}.log").read_text("utf-8", "replace")
                raise RuntimeError(f"{name} ended with {process.returncode}:\n{log[-3000:]}")

    def stop(self) -> None:
        """End the processes, the last started first, and wait for each."""
        for process in reversed(self._running.values()):
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self._timeout)
        self._guard.communicate()  # closes the pipe, so the guard kills the remaining processes
        for process in self._running.values():
            process.wait()


def free_port() -> int:
    """Return a free port on loopback."""
    while True:
        port = _FIRST_PORT + next(_numbers) % _PORTS
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
