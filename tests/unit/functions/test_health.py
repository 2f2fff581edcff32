"""health: what serves here, and whether it reaches its cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from chalicelib import __version__

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from tests.support.api import Api


class TestHealth:
    """GET /health."""

    def test_needs_no_token_and_asks_nobody(self, stack: Stack) -> None:
        """Monitors may ask it every second; the cluster's name says that this one is embedded."""
        asked = len(stack.cluster.requests)

        answer = httpx.get(f"{stack.base_url}/health")

        assert answer.json() == {"version": __version__, "cluster": "embedded", "kubernetes": None}
        assert len(stack.cluster.requests) == asked

    def test_deep_asks_the_cluster(self, api: Api) -> None:
        """The whole chain answers: token, role, cluster."""
        assert api.ask("GET", "/health?deep=true").json()["kubernetes"].startswith("v1.")

    def test_deep_needs_a_token(self, stack: Stack) -> None:
        """Nobody makes the functions ask the cluster without one."""
        assert httpx.get(f"{stack.base_url}/health?deep=true").status_code == 401
