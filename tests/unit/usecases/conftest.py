"""Shared by the tests of the use cases."""

from __future__ import annotations

import pytest

from tests.support.fakes import FakeJobs


@pytest.fixture
def jobs() -> FakeJobs:
    """A cluster without a Job, where team A may be used."""
    return FakeJobs()
