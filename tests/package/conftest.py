"""The packaged template, and the zip as built for this machine, so that it can be run here."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from infra.bundle import HERE, write_bundle
from infra.package import template

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def packaged() -> dict[str, Any]:
    """The template of the stage dev."""
    return template("dev")


@pytest.fixture(scope="session")
def archive_here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip, for this machine's Python and processor."""
    archive = tmp_path_factory.mktemp("bundle") / "functions.zip"
    assert write_bundle(archive, HERE)
    return archive


@pytest.fixture(scope="session")
def unzipped(archive_here: Path) -> Path:
    """The folder that Lambda would mount."""
    folder = archive_here.with_name("task")
    with zipfile.ZipFile(archive_here) as archive:
        archive.extractall(folder)
    return folder
