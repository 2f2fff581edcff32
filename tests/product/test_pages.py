"""Page tokens live as long as the cluster remembers the list that they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.localcluster.cluster import EmbeddedCluster
from tests.support.eventually import eventually

if TYPE_CHECKING:
    import httpx

    from infra.local.local_stack import Stack
    from tests.cluster.real_cluster import RealCluster
    from tests.support.api import Api


def test_an_old_token_has_expired(stack: Stack[EmbeddedCluster | RealCluster], api: Api) -> None:
    """410 with a code of its own, and a new list starts again."""
    for name in ("page-1", "page-2"):
        api.submit(name=name)
    token = api.ask("GET", "/jobs/team-a?limit=1").json()["nextPageToken"]
    if isinstance(stack.cluster, EmbeddedCluster):
        stack.cluster.store.oldest_page = stack.cluster.store.version + 1

    answer = eventually(lambda: continued(api, token), lambda answer: answer.status_code != 200)

    assert (answer.status_code, answer.json()["code"]) == (410, "page_token_expired")


def continued(api: Api, token: str) -> httpx.Response:
    """The second page, after a write: the test control plane forgets old versions every few seconds."""
    api.submit(name="page-2")
    return api.ask("GET", f"/jobs/team-a?limit=1&pageToken={token}")
