"""Fixtures for the use cases."""

from __future__ import annotations

import pytest

from tests.support.fakes import FakeJobs


@pytest.fixture
def jobs() -> FakeJobs:
    """Return a cluster without Jobs, in which the caller may use team A."""
    return FakeJobs()
