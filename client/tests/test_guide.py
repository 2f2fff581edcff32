"""The commands and the program of the guide, and the client as a package."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from conftest import TESTS
from researcher.models import API_VERSION

if TYPE_CHECKING:
    from pathlib import Path

ROOT = TESTS.parents[1]
PAGES = ("docs/guide/client.md", "README.md")
NOT_HERE = ("uv tool install", "eval ", "researcher login ")
"""Commands that need the network, a shell's completion, or a person."""


def commands(page: str) -> list[str]:
    """Return the commands of the console blocks of a page."""
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line for line in lines if "make run" not in line and not line.startswith(NOT_HERE)]


@pytest.fixture
def environment(signed_in: dict[str, str]) -> dict[str, str]:
    """Return the environment of a shell that has the command."""
    del signed_in
    return {**os.environ, "PYTHONPATH": str(TESTS.parent / "src")}


@pytest.mark.parametrize("page", PAGES)
def test_commands(page: str, environment: dict[str, str]) -> None:
    """Each command exits with 0, or with the exit code that the page says."""
    function = f"researcher() {{ {sys.executable} -c 'from researcher.cli import main; main()' \"$@\"; }}\n"
    lines = []
    for command in commands(page):
        text, _, comment = command.partition("   # exit code ")
        lines.append(
            f'code=0; {text} || code=$?; test $code = {comment or 0} || {{ echo "$code: {text}" >&2; exit 1; }}'
        )

    ran = subprocess.run(
        ["bash", "-c", function + "\n".join(lines)], env=environment, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stderr
    assert len(lines) >= 5


def test_program(environment: dict[str, str]) -> None:
    """The program of the guide prints the log."""
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / PAGES[0]).read_text("utf-8"), re.DOTALL)

    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)

    assert ran.stdout.splitlines()[-1] == "epoch 3 of 3: loss 0.333"


def test_wheel(folder: Path, environment: dict[str, str]) -> None:
    """The wheel is pure, typed, and runs without anything of this repository."""
    build = [sys.executable, "-m", "uv", "build", "--quiet", "--offline", "--wheel", "--out-dir", str(folder)]
    subprocess.run([*build, "--python", sys.executable, str(TESTS.parent)], check=True)
    (wheel,) = folder.glob(f"researcher_client-{API_VERSION}-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(folder / "installed")
        entry_points = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()

    ran = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            "from researcher.cli.main import run; raise SystemExit(run(['list', '-o', 'name']))",
        ],
        env=environment | {"PYTHONPATH": str(folder / "installed")},
        cwd=folder,
        check=False,
    )
    assert ran.returncode == 0
    assert "researcher/py.typed" in names
    assert "researcher = researcher.cli:main" in entry_points
    assert not [name for name in names if "tests" in name]
