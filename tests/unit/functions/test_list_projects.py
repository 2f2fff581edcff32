"""list_projects: the Projects a caller may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.kubernetes.project import project_manifests

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from tests.support.api import Api


class TestProjects:
    """GET /projects."""

    def test_new_one_is_listed_at_once(self, stack: Stack, api: Api) -> None:
        """A platform engineer applied it: nothing has to be restarted, although the caller's groups are kept."""
        api.ask("GET", "/projects")
        stack.cluster.apply(project_manifests("team-new", ["team-a"]))

        assert "team-new" in [one["name"] for one in api.ask("GET", "/projects").json()["data"]]

    def test_says_where_and_since_when(self, api: Api) -> None:
        """Name, namespace and age."""
        first = api.ask("GET", "/projects").json()["data"][0]

        assert (first["name"], first["namespace"]) == ("team-a", "researcher-team-a")
        assert first["createdAt"] > 1_700_000_000_000
