"""The pytest plugin that counts the cases of the attacks, and records the counts with --figures.

The count of a test is a property of its report, so it also arrives from the workers of pytest-xdist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.figures import Figure, cluster, record

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROPERTY = "figure"


class Counter:
    """The number of cases that a test has tried, and the largest value of each of its measurements."""

    def __init__(self) -> None:
        self.cases = 1
        self.largest: dict[str, float] = {}

    def count(self, cases: int) -> None:
        """Set the number of cases that this test has tried."""
        self.cases = cases

    def measure(self, what: str, amount: float) -> None:
        """Record *amount* as a value of *what*, whose name includes the unit; only the largest value is stored."""
        self.largest[what] = max(amount, self.largest.get(what, amount))


@pytest.fixture
def counter() -> Counter:
    """Return the counter of this test, which counts one case by default."""
    return Counter()


class Recorder:
    """Collects the figures from the reports of one run."""

    def __init__(self) -> None:
        self._figures: dict[str, Figure] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add the figure of a test that has run."""
        for name, value in report.user_properties:
            if name == _PROPERTY and report.when == "call" and isinstance(value, dict):
                figure = Figure(**value, module=report.nodeid.partition("::")[0], failed=int(report.failed))
                known = self._figures.setdefault(figure.attack, figure)
                if known is not figure:
                    known.add(figure)

    def pytest_sessionfinish(self) -> None:
        """Write the record."""
        record(self._figures.values())


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option --figures."""
    parser.addoption("--figures", action="store_true", help="record the attacks' figures in build/figures.json")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and, in the controller process alone, the recorder."""
    config.addinivalue_line("markers", "attack(name): the test is part of this attack of tests/security/attacks.py")
    if config.getoption("--figures") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Add what the test has counted to its report."""
    try:
        yield
    finally:
        marker = item.get_closest_marker("attack")
        if marker is not None:
            counted = getattr(item, "funcargs", {}).get("counter") or Counter()
            figure = {
                "attack": marker.args[0],
                "cluster": cluster(),
                "cases": counted.cases,
                "largest": counted.largest,
            }
            item.user_properties.append((_PROPERTY, figure))
