"""The index of the decision records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.reference.markdown import table

if TYPE_CHECKING:
    from pathlib import Path


def index(folder: Path) -> str:
    """Return a table of the records in *folder*, by number and title."""
    titles = ((path, path.read_text(encoding="utf-8").partition("\n")[0]) for path in sorted(folder.glob("0*.md")))
    split = ((path, title.removeprefix("# ").partition(". ")) for path, title in titles)
    return table(["number", "decision"], [[number, f"[{title}]({path.name})"] for path, (number, _, title) in split])
