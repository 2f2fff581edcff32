"""The pytest plugin of the attacks: it counts their cases, and records them with --figures.

What a test counts travels in its report, so that pytest-xdist's workers count as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.figures import Figure, cluster, record

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROPERTY = "figure"


class Counter:
    """How many cases a test has tried, and the largest of what it measured."""

    def __init__(self) -> None:
        self.cases = 1
        self.most: dict[str, float] = {}

    def tried(self, cases: int) -> None:
        """The test stands for so many cases."""
        self.cases = cases

    def measured(self, what: str, amount: float) -> None:
        """One *amount* of *what*, whose name tells the unit; the largest is kept."""
        self.most[what] = max(amount, self.most.get(what, amount))


@pytest.fixture
def counter() -> Counter:
    """Of this test; it is one case unless it says more."""
    return Counter()


class Recorder:
    """Collects the figures of the reports of one run."""

    def __init__(self) -> None:
        self._figures: dict[str, Figure] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Counts a test that has run."""
        for name, value in report.user_properties:
            if name == _PROPERTY and report.when == "call" and isinstance(value, dict):
                figure = Figure(**value, module=report.nodeid.partition("::")[0], failed=int(report.failed))
                known = self._figures.setdefault(figure.attack, figure)
                if known is not figure:
                    known.add(figure)

    def pytest_sessionfinish(self) -> None:
        """Records what was counted."""
        record(self._figures.values())


def pytest_addoption(parser: pytest.Parser) -> None:
    """The switch."""
    parser.addoption("--figures", action="store_true", help="record the attacks' figures in build/figures.json")


def pytest_configure(config: pytest.Config) -> None:
    """The marker, and the recorder of a whole run: not of a worker, which sees a part."""
    config.addinivalue_line("markers", "attack(name): the test is part of this attack of tests/security/attacks.py")
    if config.getoption("--figures") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Puts what the test counted into its report."""
    try:
        yield
    finally:
        marker = item.get_closest_marker("attack")
        if marker is not None:
            counted = getattr(item, "funcargs", {}).get("counter") or Counter()
            figure = {"attack": marker.args[0], "cluster": cluster(), "cases": counted.cases, "most": counted.most}
            item.user_properties.append((_PROPERTY, figure))
