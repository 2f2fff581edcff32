"""openapi: the document of this deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from infra.local.stack import Stack


class TestDocument:
    """GET /openapi.json."""

    def test_names_this_deployment(self, stack: Stack) -> None:
        """Its server, its cluster and where its tokens are bought; no token is needed."""
        document = httpx.get(f"{stack.base_url}/openapi.json").json()

        flow = document["components"]["securitySchemes"]["application"]["flows"]["clientCredentials"]
        assert document["servers"] == [{"url": "/researcher/api/v1", "description": "embedded"}]
        assert flow["tokenUrl"] == stack.token_url

    def test_may_be_kept_for_a_while(self, stack: Stack) -> None:
        """It changes only with a deployment."""
        assert "max-age" in httpx.get(f"{stack.base_url}/openapi.json").headers["Cache-Control"]
