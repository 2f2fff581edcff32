"""The packaged template, and the zip for this machine, so that the functions can be run here."""

from __future__ import annotations

import site
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.packaging.bundle import HERE, write_bundle
from infra.packaging.template import template
from tests.deployed.deployed import Deployed
from tests.deployed.lambda_service import managed_runtime
from tests.package.packaged_template import transform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RUN_SECONDS = 20.0
"""The run time of a pod; the commands of the documentation depend on it."""


@pytest.fixture(scope="session")
def packaged() -> dict[str, Any]:
    """Return the template of the stage dev."""
    return template("dev")


@pytest.fixture(scope="session")
def transformed(packaged: dict[str, Any]) -> dict[str, Any]:
    """Return the template with plain resource types, as CloudFormation transforms it after the upload of the zip."""
    return transform(packaged)


@pytest.fixture(scope="session")
def archive_here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the zip for this machine's Python and processor."""
    archive = tmp_path_factory.mktemp("bundle") / "functions.zip"
    write_bundle(archive, HERE)
    return archive


@pytest.fixture(scope="session")
def unzipped(archive_here: Path) -> Path:
    """Return the unzipped folder that Lambda would mount."""
    folder = archive_here.with_name("task")
    with zipfile.ZipFile(archive_here) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the packages of the managed runtime."""
    return managed_runtime(Path(site.getsitepackages()[0]), tmp_path_factory.mktemp("aws") / "runtime")


@pytest.fixture(scope="module")
def deployed(
    make_cluster: Callable[..., Any], packaged: dict[str, Any], unzipped: Path, runtime: Path
) -> Iterator[Deployed[Any]]:
    """Deploy the stack."""
    with Deployed(partial(make_cluster, run_seconds=RUN_SECONDS), packaged, unzipped, runtime) as deployed:
        yield deployed
