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
from tests.support.go_toolchain import GO_ENVIRONMENT, go_command

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMANDS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")


def build(folder: Path) -> None:
    """Build all binaries into *folder*, or leave it unchanged if the build fails."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(folder):
        if is_ready(folder):
            return
        _require_own_folder(folder)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".building-") as scratch:
            assets = Path(scratch) / "assets"
            _compile(go_command(Path(scratch)), assets)
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
    for number, name in enumerate(COMMANDS, 1):
        _report(number, name)
        _build(go, f"-s -w {flags}", f"{folder / name}", f"k8s.io/kubernetes/cmd/{name}")
    # The package is called server, so the name of the binary must be set.
    _report(len(COMMANDS) + 1, "etcd")
    _build(go, "-s -w", f"{folder / 'etcd'}", "go.etcd.io/etcd/server/v3")


def _report(number: int, name: str) -> None:
    sys.stdout.write(f"{number} of {len(COMMANDS) + 1}: {name}\n")
    sys.stdout.flush()


def _build(go: str, flags: str, output: str, package: str) -> None:
    command = [go, "build", "-trimpath", "-ldflags", flags, "-o", output, package]
    subprocess.run(command, cwd=MODULE.parent, env=os.environ | GO_ENVIRONMENT, check=True)


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
