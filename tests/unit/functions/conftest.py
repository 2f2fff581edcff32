"""Fixtures for the functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.aws import bucket
from tests.support.scripted_server import unused_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack


@pytest.fixture
def unreachable_bucket(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set an S3 endpoint that refuses connections."""
    del stack
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", unused_url())
    bucket.connect.cache_clear()
    yield
    bucket.connect.cache_clear()
