"""The search for a Python interpreter, which the Makefile, the packaging and the gate use."""

from __future__ import annotations

import platform
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from infra.packaging.bundle import FIND_PYTHON

if TYPE_CHECKING:
    from pathlib import Path

HERE = ".".join(platform.python_version_tuple()[:2])
MISSING = "3.99"
INTERPRETER = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
BROKEN_SHIM = "#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n"
"""The shim of a version manager for a version that is installed but not active."""
NO_VENV = "#!/bin/sh\necho \"No module named 'ensurepip'\" >&2\nexit 1\n"
"""Debian's python3 without the package python3-venv."""
SHIM = {f"bin/python{HERE}": BROKEN_SHIM}


def run(home: Path, command: str, *arguments: str) -> tuple[int, str, str]:
    """Return exit code, output and errors of *command*, with *home* as home directory and PATH."""
    environment = {"HOME": str(home), "PATH": str(home / "bin")}
    process = subprocess.run([command, *arguments], env=environment, check=False, capture_output=True, text=True)
    return process.returncode, process.stdout.strip(), process.stderr.strip()


def install(home: Path, files: dict[str, str]) -> None:
    """Write executable *files* below *home*."""
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
        (home / name).chmod(0o755)


@pytest.mark.parametrize(
    ("files", "versions", "found"),
    [
        *(pytest.param({f"bin/{name}": INTERPRETER}, [HERE], True, id=name) for name in (f"python{HERE}", "python3")),
        pytest.param({"bin/python": INTERPRETER}, [MISSING, HERE], True, id="the second choice"),
        pytest.param({f"bin/python{MISSING}": INTERPRETER}, [MISSING], False, id="wrong version behind the name"),
        pytest.param({"bin/python3": NO_VENV}, [HERE], False, id="interpreter without venv"),
        *(
            pytest.param(SHIM | {f"{folder}/bin/python3": INTERPRETER}, [HERE], True, id=folder.split("/")[-2])
            for folder in (
                f".pyenv/versions/{HERE}.1",
                f".asdf/installs/python/{HERE}.1",
                f".local/share/mise/installs/python/{HERE}.1",
                f".local/share/uv/python/cpython-{HERE}.1-linux-x86_64-gnu",
            )
        ),
        pytest.param({f".pyenv/versions/{HERE}.1/bin/python3": INTERPRETER}, [HERE[:-1]], False, id="3.1 is not 3.13"),
        pytest.param({}, [HERE], False, id="none"),
    ],
)
def test_interpreter_is_found(tmp_path: Path, files: dict[str, str], versions: list[str], *, found: bool) -> None:
    """The path of an interpreter on the PATH, or of pyenv, asdf, mise or uv, is printed, otherwise nothing."""
    install(tmp_path, files)

    assert run(tmp_path, "/bin/sh", str(FIND_PYTHON), *versions) == ((0, sys.executable, "") if found else (1, "", ""))


def test_gate_names_the_interpreter_that_is_missing(tmp_path: Path) -> None:
    """The gate fails at once and names the missing interpreter."""
    install(tmp_path, {"bin/python3": NO_VENV})
    for name in ("/usr/bin/dirname", "/bin/sh"):
        (tmp_path / "bin" / name.rpartition("/")[2]).symlink_to(name)

    result = run(tmp_path, "/bin/bash", str(FIND_PYTHON.parent.parent / ".ci" / "run"))

    assert result == (1, "", "Python 3.13, the version of the functions, is required: install python3.13.")
