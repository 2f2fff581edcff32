"""Processes that live no longer than the one that started them, however it ends."""

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

# The guard reads a pipe that nobody writes to. It ends when we do, even killed; the whole group goes with it.
_GUARD = ("sh", "-c", "cat >/dev/null; kill -KILL 0")

# Each process has a range of its own, so that no other one takes a port between choice and use either.
_numbers = itertools.count(os.getpid() * 64)
_FIRST_PORT, _PORTS = 20_000, 12_000
"""Below the ports that systems give to outgoing connections, so none of them takes a port between choice and use."""


class Processes:
    """Processes with a log file each, stopped in the opposite order of their start."""

    def __init__(self, logs: Path, patience: float = 10) -> None:
        self._logs = logs
        self._patience = patience
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._guard = subprocess.Popen(_GUARD, stdin=subprocess.PIPE, process_group=0)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stops every process."""
        self.stop()

    def start(self, name: str, *command: str) -> None:
        """Starts *command*, whose output goes to a log named after it."""
        with (self._logs / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=self._guard.pid,
            )

    def check(self) -> None:
        """RuntimeError with the end of its log, when a process has ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                log = (self._logs / f"{name}.log").read_text("utf-8", "replace")
                raise RuntimeError(f"{name} ended with {process.returncode}:\n{log[-3000:]}")

    def stop(self) -> None:
        """Ends the processes, the last started first, and waits for each."""
        for process in reversed(self._running.values()):
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self._patience)
        self._guard.communicate()  # closes the pipe, and so kills who is left
        for process in self._running.values():
            process.wait()


def free_port() -> int:
    """A port of loopback on which nobody listens."""
    while True:
        port = _FIRST_PORT + next(_numbers) % _PORTS
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
