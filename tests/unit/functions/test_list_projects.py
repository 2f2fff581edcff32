"""list_projects: the Projects a caller may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.kubernetes.project import project_manifests

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from tests.support.api import Api


class TestProjects:
    """GET /projects."""

    def test_new_project_is_listed_at_once(self, stack: Stack, api: Api) -> None:
        """No restart is needed, although the groups are cached."""
        api.request("GET", "/projects")
        stack.cluster.apply(project_manifests("team-new", ["team-a"]))

        assert "team-new" in [project["name"] for project in api.request("GET", "/projects").json()["data"]]

    def test_view(self, api: Api) -> None:
        """A Project has a name, a namespace and a creation time."""
        first = api.request("GET", "/projects").json()["data"][0]

        assert (first["name"], first["namespace"]) == ("team-a", "researcher-team-a")
        assert first["createdAt"] > 1_700_000_000_000
