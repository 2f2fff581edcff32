"""get_project: one Project, what it costs, and what never reaches the cluster."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from tests.unit.functions.test_list_projects import namespace

if TYPE_CHECKING:
    from infra.local.kubernetes.cluster import EmbeddedCluster
    from infra.local.stack import Stack
    from tests.api import Api


class TestProject:
    """GET /projects/{project}."""

    def test_costs_five_calls_and_then_four(self, stack: Stack[EmbeddedCluster], api: Api) -> None:
        """The caller's verbs are kept; namespace, quotas, pods and a page of Jobs are asked for each time."""
        api.ask("GET", "/jobs/team-a")  # reads which groups we may ask as
        seen = [len(stack.cluster.requests)]
        for _ in range(2):
            api.ask("GET", "/projects/team-a").raise_for_status()
            seen.append(len(stack.cluster.requests))

        assert [after - before for before, after in itertools.pairwise(seen)] == [5, 4]

    def test_a_mislabelled_namespace_is_none(self, stack: Stack[EmbeddedCluster], api: Api) -> None:
        """A namespace is a Project only where its name and its label agree."""
        stack.cluster.apply([namespace("researcher-team-y", "team-z")])

        assert [api.ask("GET", f"/projects/{name}").status_code for name in ("team-y", "team-z")] == [403, 403]
