"""Shared by all tests; with `tests/__init__.py` beside it, the root is importable however pytest is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis
import pytest

from infra import docs_assets
from infra.local.kubernetes.cluster import EmbeddedCluster
from infra.local.stack import Stack
from tests.api import Api

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["tests.recorder"]

# A shared machine may stall in any example: how long one takes proves nothing.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack[EmbeddedCluster]]:
    """The whole local cloud. Not for the session: a process has one at a time, and some modules start their own."""
    docs_assets.main()
    with Stack(EmbeddedCluster) as stack:
        yield stack


@pytest.fixture
def api(stack: Stack) -> Iterator[Api]:
    """Alice, who may use team-a and team-shared."""
    with Api(stack) as api:
        yield api
