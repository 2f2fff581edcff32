"""The table of tests/README.md: every attack of this suite has a row, generated from the record."""

from __future__ import annotations

import re
from pathlib import Path

from tests.figures import README, Figure, load, record, rows, table
from tests.security.attacks import ATTACKS

SUITE = Path(__file__).parent


def test_every_attack_has_a_row() -> None:
    """Every attack has a row, and every row an attack."""
    assert rows(README.read_text("utf-8")) == list(ATTACKS)


def test_every_attack_has_tests() -> None:
    """Every attack is the marker of a test, and every test module but this one has a marker."""
    marked = {
        path.name: set(re.findall(r'mark\.attack\("(\w+)"\)', path.read_text("utf-8")))
        for path in SUITE.glob("test_*.py")
    }

    assert marked.pop(Path(__file__).name) == set()
    assert set().union(*marked.values()) == set(ATTACKS)
    assert all(marked.values())


def test_row_is_the_sum_of_the_record(tmp_path: Path) -> None:
    """A row has the cases of each cluster, the failures and the largest measurement; new figures replace old ones."""
    path = tmp_path / "build" / "figures.json"
    figure = Figure("tokens", "embedded", "tests/x.py", 1234, 1, {"CPU ms": 3.25})
    figure.add(Figure("tokens", "embedded", "tests/x.py", 1, 1, {"CPU ms": 1.0}))

    record([Figure("tokens", "real", "tests/x.py", 3), Figure("tokens", "embedded", "tests/y.py", 1)], path)
    record([figure], path)

    row = next(line for line in table(load(path)).splitlines() if line.startswith("| `tokens`"))
    counted = "1,235, 2 failed | 3, none failed | CPU ms 3.25"
    assert row == f"| `tokens` | {ATTACKS['tokens']} | {counted} | `pytest tests/x.py` |"
    assert rows("| no | table |\n") == []
