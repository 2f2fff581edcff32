"""The pytest plugin of the budgets: how many processor seconds each suite may take, and how many it took.

A suite that outgrows its budget moves its larger case counts to `make thorough` (tests/support/sizes.py). Processor
seconds are compared, not the time on the clock, because that tells as much about the machine's other work. Budgets
are for Python 3.13 on an idle machine with two processors. The same work takes more of them on a slower or busier
machine, so a run prints what is over its budget, and fails only from SLACK times the budget on.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.sizes import THOROUGH

if TYPE_CHECKING:
    from collections.abc import Generator

BUDGETS = {
    "unit": 200,
    "contract": 60,
    "clients": 40,
    "product": 240,
    "package": 260,
    "deployed": 40,
    "bench": 30,
    "security": 300,
    "cluster": 120,
    "browser": 60,
}
"""Processor seconds of each folder of tests/, children included."""
SLACK = 4
"""How much slower a machine may be on which the tests have to pass."""
ON_THE_REAL_CLUSTER = {"contract": 120, "product": 400, "security": 200}
"""The same with CLUSTER=real, without what the control plane itself takes."""
_PROPERTY = "processor"


def budget(suite: str) -> int | None:
    """Return the processor seconds that *suite* may take in this run; None where it has no bound."""
    if THOROUGH or os.environ.get("CASES"):
        return None
    real = ON_THE_REAL_CLUSTER if os.environ.get("CLUSTER") == "real" else {}
    return real.get(suite, BUDGETS.get(suite))


def suite_of(path: str) -> str:
    """Return the folder of tests/ that the test at *path*, relative to the root, is in."""
    parts = Path(path).parts
    return parts[1] if len(parts) > 2 else "tests"


class Meter:
    """Measures the processor time of this process from one report to the next."""

    def __init__(self) -> None:
        self._last = sum(os.times()[:4])

    def seconds(self) -> float:
        """Return the processor seconds since the last call, those of children that have ended included."""
        before, self._last = self._last, sum(os.times()[:4])
        return self._last - before

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Writes into each report what its phase took; a report travels from a worker of xdist to the controller."""
        report = yield
        report.user_properties = [*report.user_properties, (_PROPERTY, self.seconds())]
        return report


class Budgets:
    """Adds up what the reports say, and fails a run in which a suite has outgrown its budget."""

    def __init__(self) -> None:
        self.tests: Counter[str] = Counter()
        self.spent: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Counts one phase of a test."""
        suite = suite_of(report.nodeid.partition("::")[0])
        self.tests[suite] += report.when == "call"
        for name, value in report.user_properties:
            if name == _PROPERTY and isinstance(value, float):
                self.spent[suite] += value  # type: ignore[assignment] # a Counter may count seconds

    def outgrown(self, slack: int = 1) -> list[str]:
        """Return the suites that took more than *slack* times their budget."""
        return [suite for suite, spent in self.spent.items() if spent > slack * (budget(suite) or spent)]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fails the run where a suite has outgrown its budget, however slow the machine."""
        if self.outgrown(SLACK) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Prints a line for each suite."""
        terminalreporter.section("processor seconds")
        for suite in sorted(self.spent):
            bound = budget(suite)
            line = f"{suite:10} {self.tests[suite]:6} tests {self.spent[suite]:7.1f} s"
            terminalreporter.write_line(line + (f" of {bound}" if bound else ""))
        for suite in self.outgrown():
            advice = "Make it faster, or move its larger case counts to `make thorough`."
            terminalreporter.write_line(f"The suite {suite} has outgrown its budget. {advice}")


def pytest_configure(config: pytest.Config) -> None:
    """Measures where tests run, and adds up where their reports arrive."""
    config.pluginmanager.register(Meter())
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Budgets())
