"""The budgets of the suites: what is counted, and when a run fails."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import budgets
from tests.budgets import BUDGETS, SLACK, Budgets, Meter, budget, suite_of

TESTS = Path(budgets.__file__).parent


@pytest.fixture(autouse=True)
def usual_run(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A run on the embedded cluster with the usual case counts."""
    monkeypatch.setattr(budgets, "THOROUGH", False)
    for name in ("CASES", "CLUSTER"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_every_suite_has_one() -> None:
    """A new folder of tests needs its line."""
    assert {path.relative_to(TESTS).parts[0] for path in TESTS.glob("*/**/test_*.py")} == BUDGETS.keys()
    assert [suite_of(path) for path in ("tests/unit/domain/job/test_view.py", "tests/test_x.py")] == ["unit", "tests"]


def test_other_runs_have_others(usual_run: pytest.MonkeyPatch) -> None:
    """The same tests do more on the real cluster; larger case counts are meant to take long."""
    usual_run.setenv("CLUSTER", "real")
    assert (budget("product") or 0) > BUDGETS["product"]
    usual_run.setenv("CASES", "10000")
    assert budget("product") is None


def test_run_fails_where_a_suite_has_outgrown_its_budget() -> None:
    """With all phases of its tests, and by so much that no slow machine explains it; until then it is printed."""
    sums, session = Budgets(), SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    states = []
    for when, seconds in (("setup", 41.0), ("call", SLACK * BUDGETS["clients"] - 41.0), ("teardown", 0.1)):
        told: Any = SimpleNamespace(nodeid="tests/clients/x.py::x", when=when, user_properties=[("processor", seconds)])
        sums.pytest_runtest_logreport(told)
        sums.pytest_sessionfinish(session)  # type: ignore[arg-type] # what the plugin reads of a session
        states.append((sums.outgrown(), session.exitstatus))

    assert states == [(["clients"], code) for code in (pytest.ExitCode.OK,) * 2 + (pytest.ExitCode.TESTS_FAILED,)]
    assert sums.tests["clients"] == 1


def test_meter_counts_what_the_processor_did() -> None:
    """From one report to the next, and not the time on the clock."""
    meter = Meter()
    meter.seconds()
    assert sum(range(3_000_000))
    assert meter.seconds() > 0
