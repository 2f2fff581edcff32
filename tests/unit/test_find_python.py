"""The search for a Python interpreter, by which the Makefile, the packaging and the gate find theirs."""

from __future__ import annotations

import platform
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from infra.bundle import FIND_PYTHON

if TYPE_CHECKING:
    from pathlib import Path

HERE = ".".join(platform.python_version_tuple()[:2])
NOWHERE = "3.99"
BROKEN_SHIM = "#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n"
"""What a version manager leaves on the PATH where the version is installed and not active."""
INTERPRETER = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'


def script(path: Path, text: str) -> None:
    """An executable file at *path*."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def find(home: Path, *versions: str, path: str = "") -> tuple[int, str]:
    """The exit code and what was printed, on a machine with that home directory and PATH."""
    environment = {"HOME": str(home), "PATH": path or str(home / "bin")}
    done = subprocess.run(
        ["/bin/sh", str(FIND_PYTHON), *versions], env=environment, check=False, capture_output=True, text=True
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.strip()


class TestPath:
    """An interpreter on the PATH."""

    @pytest.mark.parametrize("name", [f"python{HERE}", "python3", "python"])
    def test_is_found_by_any_name(self, tmp_path: Path, name: str) -> None:
        """Its path is that of the interpreter itself."""
        script(tmp_path / "bin" / name, INTERPRETER)

        assert find(tmp_path, HERE) == (0, sys.executable)

    def test_first_version_wins(self, tmp_path: Path) -> None:
        """The order of the arguments is the order of preference."""
        script(tmp_path / "bin" / f"python{HERE}", INTERPRETER)

        assert find(tmp_path, NOWHERE, HERE) == (0, sys.executable)

    def test_other_version_is_not_found(self, tmp_path: Path) -> None:
        """Whatever its file is called."""
        script(tmp_path / "bin" / f"python{NOWHERE}", INTERPRETER)

        assert find(tmp_path, NOWHERE) == (1, "")

    def test_one_that_cannot_make_environments_is_not_found(self, tmp_path: Path) -> None:
        """Debian's python3 without python3-venv."""
        script(tmp_path / "bin" / "python3", "#!/bin/sh\necho \"No module named 'ensurepip'\" >&2\nexit 1\n")

        assert find(tmp_path, HERE) == (1, "")


class TestVersionManager:
    """An interpreter that a version manager has installed, and that its shim does not start."""

    @pytest.mark.parametrize(
        "folder",
        [
            f".pyenv/versions/{HERE}.1/bin",
            f".asdf/installs/python/{HERE}.1/bin",
            f".local/share/mise/installs/python/{HERE}.1/bin",
            f".local/share/uv/python/cpython-{HERE}.1-linux-x86_64-gnu/bin",
        ],
    )
    def test_is_found_behind_its_shim(self, tmp_path: Path, folder: str) -> None:
        """Where pyenv, asdf, mise and uv keep theirs."""
        script(tmp_path / "bin" / f"python{HERE}", BROKEN_SHIM)
        script(tmp_path / folder / "python3", INTERPRETER)

        assert find(tmp_path, HERE) == (0, sys.executable)

    def test_similar_version_is_not_found(self, tmp_path: Path) -> None:
        """3.1 is not 3.13."""
        script(tmp_path / ".pyenv" / "versions" / f"{HERE}.1" / "bin" / "python3", INTERPRETER)

        assert find(tmp_path, HERE[:-1]) == (1, "")


def test_nothing_is_found_without_an_interpreter(tmp_path: Path) -> None:
    """The exit code says so, and nothing is printed."""
    assert find(tmp_path, HERE) == (1, "")


def test_gate_names_the_interpreter_that_is_missing(tmp_path: Path) -> None:
    """One sentence, at once, on a machine without the functions' Python."""
    script(tmp_path / "bin" / "python3", "#!/bin/sh\nexit 1\n")
    (tmp_path / "bin" / "dirname").symlink_to("/usr/bin/dirname")
    (tmp_path / "bin" / "sh").symlink_to("/bin/sh")

    done = subprocess.run(
        ["/bin/bash", str(FIND_PYTHON.parent.parent / ".ci" / "run")],
        env={"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")},
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == "The gate needs Python 3.13, which the functions run: install python3.13."
