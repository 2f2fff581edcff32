"""One outside system for the tests of a module."""

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
    """A server. To start and end one takes longer than most tests."""
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def site(server: ScriptedServer) -> ScriptedServer:
    """The server, which knows nothing of the tests before; as an API server it lets us impersonate team A's group."""
    server.forget()
    server.on(RULES, groups_reply("researcher:team-a"))
    return server


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """AWS credentials, and no client that stays connected from one test to the next."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    yield monkeypatch
    bucket.connect.cache_clear()
    event_bus.connect.cache_clear()
