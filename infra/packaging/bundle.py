"""The zip that every Lambda runs: our code, and of the locked requirements what a Lambda loads.

The same sources make the same bytes, so that an upgrade without a change uploads nothing.
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

from chalicelib.functions.docs_asset import ASSETS
from infra.packaging import bundle_contents, docs_assets

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements.txt"
FIND_PYTHON = Path(__file__).parents[1] / "find_python.sh"
OWN_SOURCES = ("app.py", "chalicelib")
TASK_ROOT = "/var/task"
"""Where Lambda unpacks the zip; tracebacks name files there."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold, for every file."""


@dataclass(frozen=True)
class Target:
    """Whom compiled files are for: a Python version such as 3.13, and a platform in uv's words (empty: this one)."""

    python: str
    platform: str = ""


LAMBDA = Target("3.13", "aarch64-manylinux2014")
HERE = Target(".".join(platform.python_version_tuple()[:2]))


class NoInterpreterError(Exception):
    """This machine has no Python of the target's version, which alone can write bytecode that the target loads."""


def write_bundle(archive: Path, target: Target = LAMBDA) -> None:
    """Write the zip for *target*, with bytecode, to *archive*; NoInterpreterError where nothing can compile it."""
    python = _interpreter(target.python)
    with TemporaryDirectory() as folder:
        _install(Path(folder), target)
        _slim(Path(folder))
        _add_own_sources(Path(folder))
        _compile(Path(folder), python)
        _zip(Path(folder), archive)


def _install(folder: Path, target: Target) -> None:
    """The shipped requirements, checked against their locked hashes."""
    shipped = folder.with_name(folder.name + ".txt")
    shipped.write_text(bundle_contents.kept_requirements(REQUIREMENTS.read_text(encoding="utf-8")), encoding="utf-8")
    elsewhere = ["--python-platform", target.platform] if target.platform else []
    # Copies: files that are linked to uv's cache would be changed there, and in every environment made from it.
    options = ["--link-mode", "copy", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    options += ["--python-version", target.python]
    try:
        _run(find_uv_bin(), "pip", "install", "--quiet", *options, *elsewhere, "--target", folder, "-r", shipped)
    finally:
        shipped.unlink()


def _slim(folder: Path) -> None:
    for path in list(_files(folder)):
        if not bundle_contents.is_loaded(PurePosixPath(path.relative_to(folder))):
            path.unlink()
    for name, text in bundle_contents.REPLACED.items():
        (folder / name).write_text(text, encoding="utf-8")


def _add_own_sources(folder: Path) -> None:
    """What a checkout holds of ours, without what only this machine left there; the documentation page as built now."""
    for name in OWN_SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "assets"))
        else:
            shutil.copyfile(ROOT / name, folder / name)
    docs_assets.write(folder / ASSETS.relative_to(ROOT))


def _compile(folder: Path, python: str) -> None:
    """Bytecode that is never compared with its source: /var/task is read-only, and zipping changes all times."""
    mode = ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", TASK_ROOT]
    # Hashes of text order the sets among the constants; with a fixed seed the same bytes come out each time.
    _run(python, "-P", "-m", "compileall", "-qq", *mode, folder, PYTHONHASHSEED="0")


def _interpreter(version: str) -> str:
    """The path of a Python of *version*."""
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


def _run(*command: str | Path, **environment: str) -> None:
    subprocess.run(command, check=True, env=os.environ | environment)  # noqa: S603 - our own tools
