"""Callers for the tests of the functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api import Api

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.stack import Stack


@pytest.fixture
def api(stack: Stack) -> Iterator[Api]:
    """Alice, who may use team-a and team-shared."""
    with Api(stack) as api:
        yield api
