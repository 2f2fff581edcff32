"""The budgets of the suites: what is counted, and when a run fails."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import budgets
from tests.budgets import BUDGETS, SLACK, Budgets, Meter, budget, suite_of


def report(path: str, seconds: float, when: str = "call") -> Any:  # noqa: ANN401 - what the plugin reads of a report
    """The report of one phase that took so many processor seconds."""
    return SimpleNamespace(nodeid=f"{path}::test", when=when, user_properties=[("processor", seconds)])


@pytest.fixture(autouse=True)
def usual_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run on the embedded cluster with the usual case counts."""
    monkeypatch.setattr(budgets, "THOROUGH", False)
    for name in ("CASES", "CLUSTER"):
        monkeypatch.delenv(name, raising=False)


def test_every_suite_has_one() -> None:
    """A new folder of tests needs its line."""
    folders = {
        path.parent.relative_to(Path(__file__).parent.parent).parts[0]
        for path in Path(__file__).parent.parent.glob("*/**/test_*.py")
    }

    assert folders == BUDGETS.keys()


@pytest.mark.parametrize(
    ("path", "suite"), [("tests/unit/domain/test_view.py", "unit"), ("tests/test_x.py", "tests"), ("x.py", "tests")]
)
def test_suite_is_the_folder(path: str, suite: str) -> None:
    """Directly below tests/."""
    assert suite_of(path) == suite


def test_all_phases_count() -> None:
    """A fixture that starts the local cloud is most of some tests."""
    sums = Budgets()
    for when, seconds in (("setup", 30.0), ("call", 5.0), ("teardown", 6.0)):
        sums.pytest_runtest_logreport(report("tests/clients/test_curl.py", seconds, when))

    assert (sums.tests["clients"], sums.spent["clients"], sums.outgrown()) == (1, 41.0, ["clients"])


def test_run_fails_where_a_suite_has_outgrown_its_budget() -> None:
    """By so much that no slow machine explains it; until then it is printed."""
    sums = Budgets()
    session: Any = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    sums.pytest_runtest_logreport(report("tests/clients/test_curl.py", float(SLACK * BUDGETS["clients"])))
    sums.pytest_sessionfinish(session)
    within = session.exitstatus
    sums.pytest_runtest_logreport(report("tests/clients/test_curl.py", 0.1))
    sums.pytest_sessionfinish(session)

    assert (within, sums.outgrown()) == (pytest.ExitCode.OK, ["clients"])
    assert session.exitstatus == pytest.ExitCode.TESTS_FAILED


def test_larger_case_counts_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are meant to take long."""
    monkeypatch.setenv("CASES", "10000")

    assert budget("security") is None


def test_real_cluster_has_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same tests do more there."""
    monkeypatch.setenv("CLUSTER", "real")

    assert (budget("product") or 0) > BUDGETS["product"]


def test_meter_counts_what_the_processor_did() -> None:
    """From one report to the next, and not the time on the clock."""
    meter = Meter()
    meter.seconds()
    begun = sum(range(3_000_000))

    assert begun
    assert meter.seconds() > 0
