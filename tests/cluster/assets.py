"""The folder of the binaries of the test control plane, and whether it is complete."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.go_toolchain import cache_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

MODULE = Path(__file__).with_name("go.mod")
BINARIES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
STAMP = "versions"
"""A file beside the binaries with the versions that they were built from."""


def required_version(module: str) -> str:
    """Return the version of the Go *module* in go.mod, without its v."""
    match = re.search(rf"^\s*{re.escape(module)} v(\S+)$", MODULE.read_text("utf-8"), re.MULTILINE)
    if match is None:
        raise LookupError(f"go.mod does not name {module}.")
    return match[1]


def kubernetes_version() -> str:
    """Return the version of Kubernetes in go.mod."""
    return required_version("k8s.io/kubernetes")


def etcd_version() -> str:
    """Return the version of etcd in go.mod."""
    return required_version("go.etcd.io/etcd/server/v3")


def stamp() -> str:
    """Return the content of the stamp for the current versions."""
    return f"kubernetes {kubernetes_version()}\netcd {etcd_version()}\n"


def assets_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of the binaries: KUBEBUILDER_ASSETS, as for envtest, or one per version in the cache."""
    configured = environment.get("KUBEBUILDER_ASSETS")
    if configured:
        return Path(configured)
    return cache_folder(environment) / f"kubernetes-{kubernetes_version()}"


def missing_binaries(folder: Path) -> tuple[str, ...]:
    """Return the binaries that *folder* lacks."""
    return tuple(name for name in BINARIES if not (folder / name).is_file())


def is_ready(folder: Path) -> bool:
    """Return whether *folder* has every binary, and whether its stamp, if any, has the current versions."""
    stamp_file = folder / STAMP
    return not missing_binaries(folder) and (not stamp_file.is_file() or stamp_file.read_text("utf-8") == stamp())
