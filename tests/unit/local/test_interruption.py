"""Waiting for Ctrl-C and SIGTERM, in processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from itertools import cycle, islice

import pytest

from infra.local.interruption import INTERRUPTED, SIGNALS
from tests.support.sizes import cases

WAIT = """
from infra.local.interruption import Interruption
interruption = Interruption()
print("ready", flush=True)
interruption.wait()
print("stopping", flush=True)
{then}
print("stopped", flush=True)
"""
BURSTS = cases(20, thorough=200)


def start(then: str = "import sys; sys.stdin.read()") -> subprocess.Popen[str]:
    """Start a process that waits for a signal, and return it when it waits."""
    process = subprocess.Popen(
        [sys.executable, "-c", WAIT.format(then=then)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("first", SIGNALS)
def test_a_burst_of_signals_is_one(first: signal.Signals) -> None:
    """Five signals at once end the wait, and the process ends normally: none of many processes hangs."""
    others = cycle(reversed(SIGNALS))
    for _ in range(BURSTS):
        with start() as process:
            for number in (first, *islice(others, 4)):
                process.send_signal(number)

            output, _ = process.communicate(timeout=60)

            assert (process.returncode, output) == (0, "stopping\nstopped\n")


def test_a_later_signal_ends_the_process_at_once() -> None:
    """A second Ctrl-C does not wait until everything has stopped."""
    with start("import time; interruption._first_at -= 60; time.sleep(600)") as process:
        process.send_signal(signal.SIGINT)
        assert process.stdout
        assert process.stdout.readline() == "stopping\n"
        started = time.monotonic()
        while process.poll() is None and time.monotonic() - started < 60:
            process.send_signal(signal.SIGINT)
            time.sleep(0.01)

        assert process.returncode == INTERRUPTED
