"""Where the table stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bench.figures import Figure, Limit
from tests.bench.report import circumstances, write

if TYPE_CHECKING:
    from pathlib import Path

MARKED = "before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n"


def test_table_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    """And what stands around it stays."""
    readme = tmp_path / "README.md"
    readme.write_text(MARKED, encoding="utf-8")

    write([Limit(Figure.of("bundle", "MB", [1]))], ["A run."], readme)
    write([Limit(Figure.of("bundle", "MB", [2]))], ["Another."], readme)

    text = readme.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- bench -->\n| what |")
    assert "| bundle | 2.00 MB | | |  |\n\nAnother.\n<!-- /bench -->\nafter\n" in text
    assert "A run." not in text


def test_readme_without_a_place_is_an_error(tmp_path: Path) -> None:
    """A run of half an hour is not thrown away in silence."""
    readme = tmp_path / "README.md"
    readme.write_text("before\n", encoding="utf-8")

    with pytest.raises(LookupError):
        write([], [], readme)


def test_circumstances_name_command_machine_and_versions() -> None:
    """Without them a figure says nothing."""
    told = " ".join(circumstances(15, 600))

    assert "`make bench`, in 10 minutes" in told
    assert "Kubernetes 1." in told
    assert "15 rounds" in told
    assert "fastapi 0." in told
    assert "unknown" not in told.replace("unknown processor", "")
