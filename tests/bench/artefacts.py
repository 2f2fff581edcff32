"""The folders that Lambda would mount: the product's bundle, and the peers as they are usually packaged."""

from __future__ import annotations

import shutil
import site
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from uv import find_uv_bin

from infra.packaging import docs_assets
from infra.packaging.bundle import HERE, ROOT, TASK_ROOT, write_bundle
from tests.deployed.lambda_service import managed_runtime

PEERS = Path(__file__).with_name("peers")


@dataclass(frozen=True)
class Artefacts:
    """All artefacts below *folder*; each is created when it is first used."""

    folder: Path

    @cached_property
    def ours(self) -> Path:
        """The product's bundle, for this machine."""
        folder = self.folder / "ours"
        archive = folder.with_suffix(".zip")
        write_bundle(archive, HERE)
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(folder)
        return folder

    @cached_property
    def same(self) -> Path:
        """The product's code as `chalice package` would zip it: all requirements as sources, one app for all routes."""
        folder = self.folder / "same"
        _install(ROOT / "requirements.txt", folder)
        ignored = shutil.ignore_patterns("__pycache__", "assets")
        shutil.copytree(ROOT / "chalicelib", folder / "chalicelib", ignore=ignored)
        shutil.copyfile(ROOT / "app.py", folder / "app.py")
        docs_assets.write(folder / "chalicelib" / "assets")
        return folder

    @cached_property
    def sources(self) -> Path:
        """The naive peer as `chalice package` would zip it; it includes the packages of the other peers."""
        folder = self.folder / "sources"
        _install(PEERS / "requirements.txt", folder)
        shutil.copyfile(PEERS / "naive" / "app.py", folder / "app.py")
        return folder

    @cached_property
    def bytecode(self) -> Path:
        """The naive peer with bytecode."""
        return _with_bytecode(self.sources, self.folder / "bytecode")

    @cached_property
    def floor(self) -> Path:
        """A function that does nothing, with its bytecode."""
        source = self.folder / "floor-source"
        shutil.copytree(PEERS / "floor", source, ignore=shutil.ignore_patterns("__pycache__"))
        return _with_bytecode(source, self.folder / "floor")

    @cached_property
    def runtime(self) -> Path:
        """The packages of the managed runtime."""
        return managed_runtime(Path(site.getsitepackages()[0]), self.folder / "runtime")


class Size(NamedTuple):
    """The size of an artefact in bytes."""

    zipped: int
    unzipped: int


def size(folder: Path) -> Size:
    """Return the size of *folder*, unzipped and zipped."""
    archive = folder.with_name(f"{folder.name}-measured.zip")
    files = [path for path in folder.rglob("*") if path.is_file()]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in files:
            zipped.write(path, path.relative_to(folder))
    return Size(archive.stat().st_size, sum(path.stat().st_size for path in files))


def _with_bytecode(source: Path, folder: Path) -> Path:
    """Return a copy of *source* with unchecked bytecode."""
    shutil.copytree(source, folder)
    mode = ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", TASK_ROOT]
    subprocess.run([sys.executable, "-m", "compileall", "-qq", *mode, folder], check=False)
    return folder


def _install(requirements: Path, folder: Path) -> None:
    options = ["--quiet", "--link-mode", "copy", "--no-deps", "--require-hashes", "--python", sys.executable]
    command = [find_uv_bin(), "pip", "install", *options, "--target", str(folder), "-r", str(requirements)]
    subprocess.run(command, check=True)
