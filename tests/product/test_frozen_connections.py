"""Invocations after all kept connections to the cluster died while the function was frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.kubernetes.ttl_cache import TtlCache
from chalicelib.usecases.ports import PARALLEL
from infra.kubernetes.project import project_manifests
from infra.local.local_stack import Stack
from infra.localcluster.cluster import EmbeddedCluster
from tests.conftest import RUN_SECONDS
from tests.support.api import Api
from tests.support.frozen_network import FrozenNetwork

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_cluster import Review
    from tests.support.frozen_network import Death


class FrozenCluster(EmbeddedCluster):
    """A cluster behind a network whose connections die."""

    def __init__(self, review: Review) -> None:
        super().__init__(review, RUN_SECONDS)

    @property
    def url(self) -> str:
        """The URL of the network in front of the API server."""
        return self.network.url

    @property
    def network(self) -> FrozenNetwork:
        """The network, created with the first use."""
        if self._network is None:
            self._network = FrozenNetwork(super().url)
        return self._network

    _network: FrozenNetwork | None = None

    def __exit__(self, *error: object) -> None:
        """Stop the network, then the cluster."""
        self.network.__exit__(*error)
        super().__exit__(*error)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack[FrozenCluster]]:
    """Start the local cloud on that cluster."""
    with Stack(FrozenCluster) as stack:
        yield stack


@pytest.fixture(scope="module", params=[1, 20, 40])
def projects(request: pytest.FixtureRequest, stack: Stack[FrozenCluster]) -> int:
    """Return the number of Projects of team-many, which the cluster has."""
    for number in range(request.param):
        stack.cluster.apply(project_manifests(f"many-{number}", ["team-many"]))
    return int(request.param)


@pytest.fixture
def many(stack: Stack[FrozenCluster], monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """Return a caller whose permissions are reviewed again in each request, as after a pause of 30 seconds."""
    monkeypatch.setattr(TtlCache, "get_or_load", lambda _cache, _key, load: load())
    with Api(stack, bearer=stack.issuer.mint("many", groups=["team-many"])) as api:
        yield api


def names(api: Api) -> list[str]:
    """Return the names of the caller's Projects."""
    return [project["name"] for project in api.request("GET", "/projects").raise_for_status().json()["data"]]


class TestListProjects:
    """An operation that sends a request for each Project, on all connections of the pool."""

    @pytest.mark.parametrize("death", ["reset", "closed", "lost"])
    def test_all_connections_died(self, stack: Stack[FrozenCluster], projects: int, many: Api, death: Death) -> None:
        """The response is complete, and the next one, too: the circuit breaker stays closed."""
        names(many)
        killed = stack.cluster.network.kill(death)

        found = [names(many), names(many)]

        assert [len(each) for each in found] == [projects] * 2
        assert 1 <= killed <= PARALLEL
