"""The table of tests/README.md: every attack of this suite has its row, made from what was counted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.figures import README, Figure, record, recorded, rows, table
from tests.security.attacks import ATTACKS

SUITE = Path(__file__).parent


def test_every_attack_has_its_row() -> None:
    """And every row its attack."""
    assert rows(README.read_text("utf-8")) == list(ATTACKS)


def test_every_attack_is_made() -> None:
    """By tests that bear its name, all tests of this folder but these do."""
    marked = {
        path.name: set(re.findall(r'mark\.attack\("(\w+)"\)', path.read_text("utf-8")))
        for path in SUITE.glob("test_*.py")
    }

    assert marked.pop(Path(__file__).name) == set()
    assert set().union(*marked.values()) == set(ATTACKS)
    assert all(marked.values())


def test_row_has_nothing_that_was_not_counted(tmp_path: Path) -> None:
    """Cases of each cluster, those that failed, and the largest of what was measured."""
    path = tmp_path / "build" / "figures.json"
    record([Figure("tokens", "real", "tests/x.py", 3)], path)
    record([Figure("tokens", "embedded", "tests/x.py", 1234, 2, {"CPU ms": 3.25})], path)

    row = next(line for line in table(recorded(path)).splitlines() if line.startswith("| `tokens`"))

    assert (
        row
        == f"| `tokens` | {ATTACKS['tokens']} | 1,234, 2 failed | 3, none failed | CPU ms 3.25 | `pytest tests/x.py` |"
    )


def test_newer_figures_replace_older_ones(tmp_path: Path) -> None:
    """Of the same attack and cluster; the others stay."""
    path = tmp_path / "build" / "figures.json"
    record([Figure("tokens", "embedded", "x", 1), Figure("names", "embedded", "x", 1)], path)
    record([Figure("tokens", "embedded", "x", 2)], path)

    assert {figure.attack: figure.cases for figure in recorded(path)} == {"tokens": 2, "names": 1}


def test_tests_of_one_attack_count_together() -> None:
    """Their cases add up, and the larger measure stays."""
    figure = Figure("tokens", "embedded", "x", 1, 0, {"ms": 2.0})

    figure.add(Figure("tokens", "embedded", "x", 10, 1, {"ms": 1.0, "MiB": 3.0}))

    assert figure == Figure("tokens", "embedded", "x", 11, 1, {"ms": 2.0, "MiB": 3.0})


@pytest.mark.parametrize("text", ["", "| no | table |\n", "| attack | x |\n"])
def test_text_without_a_table_has_no_rows(text: str) -> None:
    """Whatever else stands there."""
    assert rows(text) == []
