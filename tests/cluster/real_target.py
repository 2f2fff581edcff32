"""A real cluster as a target of the contract tests: that of KUBECONFIG, else the test control plane, if it is built."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from tests.cluster.assets import assets_folder, is_ready
from tests.cluster.control_plane import ControlPlane
from tests.cluster.gpu_node import GpuNodes
from tests.cluster.injection import remove_injection
from tests.cluster.target import KubeconfigTarget

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.cluster.json_client import Document, JsonClient

NODE = "contract-gpu-0"


@dataclass(frozen=True)
class RealTarget:
    """A cluster that issues client certificates, with one simulated GPU node."""

    cluster: ControlPlane | KubeconfigTarget

    @property
    def admin(self) -> JsonClient:
        """A client with all permissions."""
        return self.cluster.admin

    def client(self, user: str, groups: Sequence[str]) -> JsonClient:
        """Return a client for *user* in *groups*; the caller closes it."""
        return self.cluster.client(user, groups)

    def apply(self, documents: Iterable[Document]) -> None:
        """Apply the objects, as an administrator."""
        for document in documents:
            self.admin.apply(document)

    def remove(self, documents: Iterable[Document]) -> None:
        """Delete the objects, as an administrator."""
        for document in documents:
            self.admin.delete(self.admin.path_of(document))


@contextmanager
def real_target(workdir: Path, run_seconds: float) -> Iterator[RealTarget]:
    """Start a real cluster whose pods run for *run_seconds*."""
    assets = assets_folder(os.environ)
    if kubeconfig := os.environ.get("KUBECONFIG"):
        target = KubeconfigTarget(Path(kubeconfig), workdir)
        with GpuNodes(target.admin, [NODE], run_seconds):
            yield RealTarget(target)
        target.admin.delete(f"/api/v1/nodes/{NODE}")
        remove_injection(target.admin)
        target.admin.close()
    elif is_ready(assets):
        with ControlPlane(assets, workdir) as plane, GpuNodes(plane.admin, [NODE], run_seconds):
            yield RealTarget(plane)
    else:
        fail_without_cluster(assets)


def fail_without_cluster(assets: Path) -> NoReturn:
    """Fail the test, so that a run without a real cluster does not pass."""
    pytest.fail(f"no API server in {assets}: make control-plane, or set KUBECONFIG")
