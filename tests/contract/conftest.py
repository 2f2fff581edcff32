"""The cluster of the contract tests, with two Projects: embedded or, with CLUSTER=real, a real control plane."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

import pytest

from infra.kubernetes.project import base_manifests, project_manifests
from tests.cluster.embedded_target import EmbeddedTarget
from tests.cluster.permissions import (
    NAMESPACE,
    OTHER_NAMESPACE,
    OTHER_SUBMITTERS,
    SUBMITTERS,
    UPLOADS,
    VIEWERS,
    Permission,
    is_allowed,
)
from tests.cluster.real_target import real_target
from tests.support.eventually import eventually
from tests.support.namespace import NamespaceClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from tests.cluster.json_client import JsonClient
    from tests.cluster.target import Target

RUN_SECONDS = 0.5
"""The default run time of a pod."""


@pytest.fixture(scope="session", params=[os.environ.get("CLUSTER") or "embedded"])
def cluster_target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Start the cluster; its name is part of the test ids."""
    workdir = tmp_path_factory.mktemp("cluster")
    opened: AbstractContextManager[Target] = (
        EmbeddedTarget(workdir, RUN_SECONDS) if request.param == "embedded" else real_target(workdir, RUN_SECONDS)
    )
    with opened as target:
        yield target


@pytest.fixture(scope="session")
def own_identity(cluster_target: Target) -> Iterator[JsonClient]:
    """Return a client with the API's own identity, on a cluster with two Projects."""
    manifests = [
        *base_manifests(),
        *project_manifests(NAMESPACE.removeprefix("researcher-"), [SUBMITTERS], [VIEWERS], uploads_bucket=UPLOADS[3:]),
        *project_manifests(OTHER_NAMESPACE.removeprefix("researcher-"), [OTHER_SUBMITTERS]),
    ]
    cluster_target.apply(manifests)
    client = cluster_target.client("researcher-api:test", ["researcher-api"])
    permission = Permission("impersonate", f"groups/researcher:{OTHER_SUBMITTERS}")
    eventually(lambda: is_allowed(client, permission))  # the API server's RBAC cache lags behind for moments
    yield client
    client.close()
    cluster_target.remove(reversed(manifests))


@pytest.fixture
def namespace(cluster_target: Target) -> Iterator[NamespaceClient]:
    """Create a namespace for the test, ready for pods."""
    namespace = NamespaceClient(cluster_target.admin, f"contract-{secrets.token_hex(4)}")
    namespace.open()
    yield namespace
    namespace.close()
