"""Page tokens expire when the cluster has compacted the resource version of their list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.localcluster.cluster import EmbeddedCluster
from tests.support.eventually import eventually

if TYPE_CHECKING:
    import httpx

    from infra.local.local_stack import Stack
    from tests.cluster.real_cluster import RealCluster
    from tests.support.api import Api


def test_expired_token(stack: Stack[EmbeddedCluster | RealCluster], api: Api) -> None:
    """An expired page token returns 410 with its own code."""
    for name in ("page-1", "page-2"):
        api.submit(name=name)
    token = api.request("GET", "/jobs/team-a?limit=1").json()["nextPageToken"]
    if isinstance(stack.cluster, EmbeddedCluster):
        stack.cluster.store.oldest_page = stack.cluster.store.version + 1

    response = eventually(lambda: next_page(api, token), lambda response: response.status_code != 200)

    assert (response.status_code, response.json()["code"]) == (410, "page_token_expired")


def next_page(api: Api, token: str) -> httpx.Response:
    """Return the second page after a write, so that the test control plane compacts old versions."""
    api.submit(name="page-2")
    return api.request("GET", f"/jobs/team-a?limit=1&pageToken={token}")
