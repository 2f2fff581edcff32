"""How much CPU time a command costs before it does anything: people start it all day, and each Tab key starts it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from conftest import TESTS

TIMES = 15


def cpu_milliseconds(*arguments: str) -> float:
    """Return the user and system time of one process; that of other processes is not in it."""
    code = "from researcher.cli import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent / "src")}
    with subprocess.Popen([sys.executable, "-c", code, *arguments], env=environment, stdout=subprocess.DEVNULL) as ran:
        _, status, usage = os.wait4(ran.pid, 0)
        ran.returncode = os.waitstatus_to_exitcode(status)
    assert ran.returncode == 0
    return (usage.ru_utime + usage.ru_stime) * 1000


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize(("arguments", "bound"), [(("--help",), 150), (("list",), 400)], ids=["help", "list"])
def test_cpu_time(arguments: tuple[str, ...], bound: float) -> None:
    """`--help` costs at most 150 ms of CPU time, and `list` at most 400 ms.

    The least of several counts: on a busy machine, caches and clock rates make single ones longer. The first one may
    write bytecode.
    """
    measured: list[float] = []
    while len(measured) < TIMES and min(measured, default=bound + 1) > bound:
        measured.append(cpu_milliseconds(*arguments))

    assert min(measured) <= bound, measured
