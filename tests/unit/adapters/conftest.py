"""One outside system for the tests of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.scripted import Script

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server() -> Iterator[Script]:
    """A server. To start and end one takes longer than most tests."""
    with Script() as server:
        yield server


@pytest.fixture
def site(server: Script) -> Script:
    """The server, which knows nothing of the tests before."""
    server.forget()
    return server
