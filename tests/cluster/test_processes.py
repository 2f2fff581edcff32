"""Child processes that end together with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from typing import TYPE_CHECKING

import pytest

from tests.cluster.processes import Processes, free_port

if TYPE_CHECKING:
    from pathlib import Path

PARENT = """
import sys
from pathlib import Path
from tests.cluster.processes import Processes

processes = Processes(Path(sys.argv[1]))
processes.start("sleeper", "sh", "-c", 'trap "" TERM; exec sleep 1000 > "$0"', sys.argv[2])
sys.stdin.read()
"""


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """Return a named pipe; it reads as ended when no process holds it for writing."""
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


class TestProcesses:
    """Processes with a log each."""

    def test_end_when_the_parent_is_killed(self, tmp_path: Path, fifo: Path) -> None:
        """The processes of a killed test run end."""
        command = [sys.executable, "-c", PARENT, str(tmp_path), str(fifo)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as parent, fifo.open("rb") as pipe:
            parent.send_signal(signal.SIGKILL)

            assert pipe.read() == b""

    @pytest.mark.parametrize("trap", ["", 'trap "" TERM; '], ids=["handles SIGTERM", "ignores SIGTERM"])
    def test_stop_waits_for_the_end(self, tmp_path: Path, fifo: Path, trap: str) -> None:
        """After the context all processes have ended, even those that ignore SIGTERM."""
        with Processes(tmp_path, timeout=0.1) as processes:
            processes.start("sleeper", "sh", "-c", trap + 'exec sleep 1000 > "$0"', str(fifo))
            pipe = fifo.open("rb")

        with pipe:
            assert pipe.read() == b""

    def test_ended_process_is_reported_with_its_log(self, tmp_path: Path, fifo: Path) -> None:
        """A process that ends by itself is an error with its log, not a timeout."""
        with Processes(tmp_path) as processes:
            processes.start("failing", "sh", "-c", 'echo unknown flag; exec 3> "$0"; exit 7', str(fifo))
            with fifo.open("rb") as pipe:
                pipe.read()

            with pytest.raises(RuntimeError, match=r"failing ended with 7:\nunknown flag"):
                deque(iter(processes.check, ...))  # repeated: the pipe closes a moment before the process ends

    def test_ports_are_not_ephemeral(self) -> None:
        """Free ports are below the ephemeral ports, which outgoing connections use."""
        assert all(20_000 <= free_port() < 32_000 for _ in range(100))
