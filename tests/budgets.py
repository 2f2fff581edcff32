"""The pytest plugin for the budgets: the CPU seconds that each suite may use, and those that it has used.

A suite that exceeds its budget must move its larger case counts to `make thorough` (tests/support/sizes.py). The plugin
compares CPU seconds, because wall-clock time also depends on the other load of the machine. Budgets are for Python 3.13
on an idle machine with two processors. A slower or busier machine needs more CPU seconds for the same work, so a run
prints the suites over budget, and fails only above SLACK times the budget.
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
    "generators": 120,
    "product": 240,
    "package": 260,
    "deployed": 40,
    "bench": 30,
    "security": 300,
    "cluster": 120,
    "browser": 60,
}
"""CPU seconds of each folder of tests/, including child processes."""
SLACK = 4
"""How many times slower a machine may be on which the tests must pass."""
REAL_CLUSTER_BUDGETS = {"contract": 120, "product": 400, "security": 200}
"""The budgets with CLUSTER=real, without the control plane itself."""
_PROPERTY = "processor"


def budget(suite: str) -> int | None:
    """Return the CPU seconds that *suite* may use in this run; None if it has no budget."""
    if THOROUGH or os.environ.get("CASES"):
        return None
    real = REAL_CLUSTER_BUDGETS if os.environ.get("CLUSTER") == "real" else {}
    return real.get(suite, BUDGETS.get(suite))


def suite_of(path: str) -> str:
    """Return the folder of tests/ of the test at *path*, which is relative to the root."""
    parts = Path(path).parts
    return parts[1] if len(parts) > 2 else "tests"


class Meter:
    """Measures the CPU time of this process between two reports."""

    def __init__(self) -> None:
        self._last = sum(os.times()[:4])

    def seconds(self) -> float:
        """Return the CPU seconds since the last call, including child processes that have ended."""
        before, self._last = self._last, sum(os.times()[:4])
        return self._last - before

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add the CPU seconds of each phase to its report, which workers of xdist send to the controller."""
        report = yield
        report.user_properties = [*report.user_properties, (_PROPERTY, self.seconds())]
        return report


class Budgets:
    """Adds up the reports, and fails a run in which a suite exceeds its budget."""

    def __init__(self) -> None:
        self.tests: Counter[str] = Counter()
        self.spent: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one phase of a test."""
        suite = suite_of(report.nodeid.partition("::")[0])
        self.tests[suite] += report.when == "call"
        for name, value in report.user_properties:
            if name == _PROPERTY and isinstance(value, float):
                self.spent[suite] += value  # type: ignore[assignment] # a Counter may count seconds

    def outgrown(self, slack: int = 1) -> list[str]:
        """Return the suites that used more than *slack* times their budget."""
        return [suite for suite, spent in self.spent.items() if spent > slack * (budget(suite) or spent)]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run if a suite exceeds its budget by more than the slack."""
        if self.outgrown(SLACK) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print a line for each suite."""
        terminalreporter.section("CPU seconds")
        for suite in sorted(self.spent):
            bound = budget(suite)
            line = f"{suite:10} {self.tests[suite]:6} tests {self.spent[suite]:7.1f} s"
            terminalreporter.write_line(line + (f" of {bound}" if bound else ""))
        for suite in self.outgrown():
            advice = "Make it faster, or move its larger case counts to `make thorough`."
            terminalreporter.write_line(f"The suite {suite} exceeds its budget. {advice}")


def pytest_configure(config: pytest.Config) -> None:
    """Register the meter, and in the controller the budgets."""
    config.pluginmanager.register(Meter())
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Budgets())
