"""health: the version, and whether the cluster can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from chalicelib import __version__

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from tests.support.api import Api


class TestHealth:
    """GET /health."""

    def test_needs_no_token_and_sends_no_request(self, stack: Stack) -> None:
        """Monitors may call it every second. The cluster is the embedded one."""
        requests = len(stack.cluster.requests)

        response = httpx.get(f"{stack.base_url}/health")

        assert response.json() == {"version": __version__, "cluster": "embedded", "kubernetes": None, "groups": None}
        assert len(stack.cluster.requests) == requests

    def test_deep_checks_the_cluster(self, api: Api) -> None:
        """The token, the role and the cluster are checked."""
        assert api.request("GET", "/health?deep=true").json()["kubernetes"].startswith("v1.")

    def test_deep_lists_the_groups_with_a_project(self, api: Api) -> None:
        """Of the token's groups, those that a Project's manifests name, as the token spells them."""
        assert api.request("GET", "/health?deep=true").json()["groups"] == ["team-a"]

    def test_deep_needs_a_token(self, stack: Stack) -> None:
        """Without a token no request is sent to the cluster."""
        assert httpx.get(f"{stack.base_url}/health?deep=true").status_code == 401
