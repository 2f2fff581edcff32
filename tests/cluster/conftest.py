"""A control plane for the tests of the control plane."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.cluster.assets import assets_folder, is_ready
from tests.cluster.control_plane import ControlPlane
from tests.cluster.real_target import go_without

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder of the binaries."""
    folder = assets_folder(os.environ)
    if not is_ready(folder):
        go_without(folder)
    return folder


@pytest.fixture(scope="session")
def plane(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One that runs for all of these tests."""
    with ControlPlane(assets, tmp_path_factory.mktemp("plane")) as plane:
        yield plane
