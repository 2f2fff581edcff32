"""Fixtures for the adapters: a scripted server, and AWS credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.aws import bucket, event_bus
from tests.support.scripted_server import ScriptedServer, groups_reply

if TYPE_CHECKING:
    from collections.abc import Iterator

RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    """Start one server for all tests of a module, because a start takes longer than most tests."""
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def site(server: ScriptedServer) -> ScriptedServer:
    """Return the server without the replies of earlier tests. As an API server, it lets the API impersonate team A."""
    server.forget()
    server.on(RULES, groups_reply("researcher:team-a"))
    return server


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Set AWS credentials, and close the cached clients after the test."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    yield monkeypatch
    bucket.connect.cache_clear()
    event_bus.connect.cache_clear()
