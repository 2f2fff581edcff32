"""The cluster of these tests: the embedded one, or the test control plane with CLUSTER=real."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.kubernetes import api_client, circuit_breaker
from infra.local.local_stack import Stack
from infra.packaging import docs_assets
from tests.cluster import fault_proxy
from tests.conftest import RUN_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.localcluster.cluster import EmbeddedCluster
    from tests.cluster.real_cluster import RealCluster


@pytest.fixture(scope="module")
def stack(
    make_cluster: Callable[..., EmbeddedCluster | RealCluster],
) -> Iterator[Stack[EmbeddedCluster | RealCluster]]:
    """Start the whole local cloud on that cluster."""
    docs_assets.main()
    with Stack(partial(make_cluster, run_seconds=RUN_SECONDS)) as stack:
        yield stack


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the timeouts and retry delays of the API's cluster client, for tests with many faults."""
    monkeypatch.setattr(api_client, "READ_SECONDS", 1.0)
    monkeypatch.setattr(api_client, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(circuit_breaker, "PAUSE", 0.2)
    monkeypatch.setattr(fault_proxy, "HANG_SECONDS", 1.5)
