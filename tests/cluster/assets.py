"""Where the binaries of the test control plane are, and whether they are all there."""

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
"""A file beside the binaries: what they were built from."""


def required_version(module: str) -> str:
    """The version of the Go *module* that go.mod names, without its v."""
    found = re.search(rf"^\s*{re.escape(module)} v(\S+)$", MODULE.read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise LookupError(f"go.mod does not name {module}.")
    return found[1]


def kubernetes_version() -> str:
    """The version of Kubernetes that the tests ask for."""
    return required_version("k8s.io/kubernetes")


def etcd_version() -> str:
    """The version of etcd that the tests ask for."""
    return required_version("go.etcd.io/etcd/server/v3")


def stamp() -> str:
    """What binaries built now are built from."""
    return f"kubernetes {kubernetes_version()}\netcd {etcd_version()}\n"


def assets_folder(environment: Mapping[str, str]) -> Path:
    """Where the binaries belong: the folder that envtest's variable names, else one per version in the user's cache."""
    named = environment.get("KUBEBUILDER_ASSETS")
    if named:
        return Path(named)
    return cache_folder(environment) / f"kubernetes-{kubernetes_version()}"


def missing_binaries(folder: Path) -> tuple[str, ...]:
    """The binaries that *folder* lacks."""
    return tuple(name for name in BINARIES if not (folder / name).is_file())


def is_ready(folder: Path) -> bool:
    """Whether *folder* has every binary, of the versions asked for where it tells which it has."""
    stamped = folder / STAMP
    return not missing_binaries(folder) and (not stamped.is_file() or stamped.read_text("utf-8") == stamp())
