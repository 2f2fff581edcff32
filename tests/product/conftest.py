"""The cluster of these tests: the embedded one or, with CLUSTER=real, the test control plane."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from infra import docs_assets
from infra.local.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.local.kubernetes.cluster import EmbeddedCluster
    from tests.cluster.real_cluster import RealCluster

RUN_SECONDS = 0.5
"""How long a pod runs that does not say otherwise."""


@pytest.fixture(scope="module")
def stack(
    make_cluster: Callable[..., EmbeddedCluster | RealCluster],
) -> Iterator[Stack[EmbeddedCluster | RealCluster]]:
    """The whole local cloud on that cluster."""
    docs_assets.main()
    with Stack(partial(make_cluster, run_seconds=RUN_SECONDS)) as stack:
        yield stack
