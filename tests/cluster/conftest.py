"""A control plane for the tests of the control plane."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.cluster.assets import assets_folder, is_ready
from tests.cluster.control_plane import ControlPlane
from tests.cluster.real_target import fail_without_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def assets() -> Path:
    """Return the folder of the binaries, which must be complete."""
    folder = assets_folder(os.environ)
    if not is_ready(folder):
        fail_without_cluster(folder)
    return folder


@pytest.fixture(scope="session")
def plane(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Start a control plane for all tests of this folder."""
    with ControlPlane(assets, tmp_path_factory.mktemp("plane")) as plane:
        yield plane
