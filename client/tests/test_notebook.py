"""The example for Jupyter: its cells run, one after another, as in a kernel."""

from __future__ import annotations

import ast
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from conftest import TESTS
from researcher.job import Job

if TYPE_CHECKING:
    from pathlib import Path

    from researcher import Client

NOTEBOOKS = sorted((TESTS.parent / "examples").glob("*.ipynb"))


def read(path: Path) -> dict[str, Any]:
    """Return a notebook."""
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document


def run_cell(source: str, names: dict[str, Any]) -> list[Any]:
    """Run a cell, and return what it shows: the value of its last line, if that is an expression."""
    shown: list[Any] = []
    *before, last = ast.parse(source).body
    hook, sys.displayhook = sys.displayhook, shown.append
    try:
        exec(compile(ast.Module(before, []), "cell", "exec"), names)  # noqa: S102 - our own example
        exec(compile(ast.Interactive([last]), "cell", "single"), names)  # noqa: S102 - as before
    finally:
        sys.displayhook = hook
    return [each for each in shown if each is not None]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_kept_without_outputs(path: Path) -> None:
    """A notebook in the repository has the format 4.5, an ID for each cell, and no outputs."""
    notebook = read(path)
    cells = notebook["cells"]

    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)


def test_the_sweep(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """The Job is shown as a card before and after, its log is printed, and the sweep is a table; both are deleted."""
    (notebook,) = [read(path) for path in NOTEBOOKS if path.stem == "sweep"]
    names: dict[str, Any] = {}
    shown = {
        cell["id"]: run_cell("".join(cell["source"]), names)
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    }

    (submitted,), (finished,) = shown["submit"], shown["wait"]
    assert isinstance(submitted, Job)
    assert "Succeeded" in finished._repr_html_()
    assert capsys.readouterr().out.splitlines()[-1] == "epoch 3 of 3: loss 0.333"
    assert shown["sweep"][0][1] == {"index": 1, "state": "Succeeded", "exit": 0, "LR": "0.0001", "SEED": "1"}
    assert shown["delete"] == [[True, True]]
    assert submitted.name not in {job.name for job in client.jobs()}
