"""The budgets of the test suites."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import budgets
from tests.budgets import BUDGETS, SLACK, Budgets, Meter, budget, suite_of

TESTS = Path(budgets.__file__).parent


@pytest.fixture(autouse=True)
def default_run(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set up a run on the embedded cluster with the default case counts."""
    monkeypatch.setattr(budgets, "THOROUGH", False)
    for name in ("CASES", "CLUSTER"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_every_suite_has_a_budget() -> None:
    """Every folder of tests has a budget."""
    assert {path.relative_to(TESTS).parts[0] for path in TESTS.glob("*/**/test_*.py")} == BUDGETS.keys()
    assert [suite_of(path) for path in ("tests/unit/domain/job/test_view.py", "tests/test_x.py")] == ["unit", "tests"]


def test_budget_depends_on_the_run(default_run: pytest.MonkeyPatch) -> None:
    """The budget on the real cluster is larger, and there is none for larger case counts."""
    default_run.setenv("CLUSTER", "real")
    assert (budget("product") or 0) > BUDGETS["product"]
    default_run.setenv("CASES", "10000")
    assert budget("product") is None


def test_run_fails_if_a_suite_exceeds_its_budget() -> None:
    """A run fails if a suite, with all phases of its tests, exceeds its budget by the allowed factor."""
    sums, session = Budgets(), SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    states = []
    for when, seconds in (("setup", 41.0), ("call", SLACK * BUDGETS["clients"] - 41.0), ("teardown", 0.1)):
        report: Any = SimpleNamespace(
            nodeid="tests/clients/x.py::x", when=when, user_properties=[("processor", seconds)]
        )
        sums.pytest_runtest_logreport(report)
        sums.pytest_sessionfinish(session)  # type: ignore[arg-type] # the part that the plugin uses
        states.append((sums.outgrown(), session.exitstatus))

    assert states == [(["clients"], code) for code in (pytest.ExitCode.OK,) * 2 + (pytest.ExitCode.TESTS_FAILED,)]
    assert sums.tests["clients"] == 1


def test_meter_measures_processor_time() -> None:
    """The meter measures processor time, not elapsed time."""
    meter = Meter()
    meter.seconds()
    assert sum(range(3_000_000))
    assert meter.seconds() > 0
