"""Processes that end with the one that started them."""

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

STARTER = """
import sys
from pathlib import Path
from tests.cluster.processes import Processes

processes = Processes(Path(sys.argv[1]))
processes.start("sleeper", "sh", "-c", 'trap "" TERM; exec sleep 1000 > "$0"', sys.argv[2])
sys.stdin.read()
"""


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A pipe that reads as ended once nobody holds it for writing: whoever held it is gone."""
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


class TestProcesses:
    """Processes with a log each."""

    def test_end_even_when_their_starter_is_killed(self, tmp_path: Path, fifo: Path) -> None:
        """A killed test run leaves no control plane behind."""
        command = [sys.executable, "-c", STARTER, str(tmp_path), str(fifo)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as starter, fifo.open("rb") as held:
            starter.send_signal(signal.SIGKILL)

            assert held.read() == b""

    @pytest.mark.parametrize("listens", ["", 'trap "" TERM; '], ids=["listens", "deaf"])
    def test_stop_waits_until_they_ended(self, tmp_path: Path, fifo: Path, listens: str) -> None:
        """After the block, nothing runs; a process that ignores the polite signal is gone too."""
        with Processes(tmp_path, patience=0.1) as processes:
            processes.start("sleeper", "sh", "-c", listens + 'exec sleep 1000 > "$0"', str(fifo))
            held = fifo.open("rb")

        with held:
            assert held.read() == b""

    def test_one_that_ended_is_reported_with_its_log(self, tmp_path: Path, fifo: Path) -> None:
        """A binary that refuses its flags says so, instead of a time-out."""
        with Processes(tmp_path) as processes:
            processes.start("refuser", "sh", "-c", 'echo unknown flag; exec 3> "$0"; exit 7', str(fifo))
            with fifo.open("rb") as held:
                held.read()

            with pytest.raises(RuntimeError, match=r"refuser ended with 7:\nunknown flag"):
                deque(iter(processes.check, ...))  # again and again: it closes its files a moment before it is over

    def test_ports_are_none_that_outgoing_connections_get(self) -> None:
        """Else a connection could take it between choice and use."""
        assert all(20_000 <= free_port() < 32_000 for _ in range(100))
