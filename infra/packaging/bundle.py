"""The zip that every Lambda runs: our code, and the part of the locked requirements that a Lambda imports.

The build is reproducible, so that a deployment without changes uploads nothing.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from uv import find_uv_bin

from chalicelib.configuration import PACKAGED
from chalicelib.functions.docs_asset import ASSETS
from infra.packaging import bundle_contents, docs_assets

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements.txt"
FIND_PYTHON = Path(__file__).parents[1] / "find_python.sh"
OWN_SOURCES = ("app.py", "chalicelib")
ONLY_HERE = ("__pycache__", "assets", PACKAGED.name)
TASK_ROOT = "/var/task"
"""The folder where Lambda extracts the zip; tracebacks contain its paths."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest timestamp of the zip format, for every file."""


@dataclass(frozen=True)
class Target:
    """The target of compiled files: a Python version such as 3.13, and a platform of uv (empty for this machine)."""

    python: str
    platform: str = ""


LAMBDA = Target("3.13", "aarch64-manylinux2014")
HERE = Target(".".join(platform.python_version_tuple()[:2]))


class NoInterpreterError(Exception):
    """No Python of the target's version is installed; only that version writes bytecode that the target loads."""


def write_bundle(archive: Path, target: Target = LAMBDA, configuration: bytes = b"") -> None:
    """Write the zip for *target*, with bytecode and *configuration*, to *archive*.

    Raises:
        NoInterpreterError: it cannot be compiled.
    """
    python = _interpreter(target.python)
    with TemporaryDirectory() as folder:
        _install(Path(folder), target)
        _remove_unused(Path(folder))
        _add_own_sources(Path(folder))
        if configuration:
            (Path(folder) / PACKAGED.relative_to(ROOT)).write_bytes(configuration)
        _compile(Path(folder), python)
        _zip(Path(folder), archive)


def _install(folder: Path, target: Target) -> None:
    """Install the bundled requirements and verify their locked hashes."""
    requirements = folder.with_name(folder.name + ".txt")
    locked = REQUIREMENTS.read_text(encoding="utf-8")
    requirements.write_text(bundle_contents.bundled_requirements(locked), encoding="utf-8")
    # Copy: changing files that are linked to uv's cache would change them in every environment.
    options = ["--link-mode", "copy", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    options += ["--python-version", target.python]
    options += ["--python-platform", target.platform] if target.platform else []
    try:
        _execute(find_uv_bin(), "pip", "install", "--quiet", *options, "--target", folder, "-r", requirements)
    finally:
        requirements.unlink()


def _remove_unused(folder: Path) -> None:
    for path in list(_files(folder)):
        if not bundle_contents.is_loaded(PurePosixPath(path.relative_to(folder))):
            path.unlink()
    for name, text in bundle_contents.REPLACED.items():
        (folder / name).write_text(text, encoding="utf-8")


def _add_own_sources(folder: Path) -> None:
    """Copy our sources without files that only this machine has, and build the documentation page."""
    for name in OWN_SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(*ONLY_HERE))
        else:
            shutil.copyfile(ROOT / name, folder / name)
    docs_assets.write(folder / ASSETS.relative_to(ROOT))


def _compile(folder: Path, python: str) -> None:
    """Compile all files without timestamps: /var/task is read-only, and the zip changes the timestamps."""
    mode = ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", TASK_ROOT]
    # Sets among the constants are ordered by string hashes; a fixed seed makes the bytes reproducible.
    _execute(python, "-P", "-m", "compileall", "-qq", *mode, folder, PYTHONHASHSEED="0")


def _interpreter(version: str) -> str:
    """Return the path of a Python of *version*."""
    if version == HERE.python:
        return sys.executable
    command = ["/bin/sh", str(FIND_PYTHON), version]
    found = subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()  # noqa: S603 - our own
    if not found:
        raise NoInterpreterError(version)
    return found


def _zip(folder: Path, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped:
        for path in sorted(_files(folder)):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            zipped.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _execute(*command: str | Path, **environment: str) -> None:
    subprocess.run(command, check=True, env=os.environ | environment)  # noqa: S603 - our own tools
