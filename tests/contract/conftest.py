"""The cluster that the contract is checked on, with two Projects: embedded or, with CLUSTER=real, a real one."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

import pytest

from infra.kubernetes.project import base_manifests, project_manifests
from tests.cluster.embedded_target import EmbeddedTarget
from tests.cluster.real_target import real_target
from tests.cluster.rights import OTHER_SUBMITTERS, OTHERS, OURS, SUBMITTERS, UPLOADS, VIEWERS, Ask, may
from tests.support.eventually import eventually
from tests.support.namespace import TestNamespace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from tests.cluster.json_client import JsonClient
    from tests.cluster.target import Target

RUN_SECONDS = 0.5
"""How long a pod runs that does not say otherwise."""


@pytest.fixture(scope="session", params=[os.environ.get("CLUSTER") or "embedded"])
def cluster_target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The cluster; its name stands in the tests' names."""
    workdir = tmp_path_factory.mktemp("cluster")
    opened: AbstractContextManager[Target] = (
        EmbeddedTarget(workdir, RUN_SECONDS) if request.param == "embedded" else real_target(workdir, RUN_SECONDS)
    )
    with opened as target:
        yield target


@pytest.fixture(scope="session")
def own_identity(cluster_target: Target) -> Iterator[JsonClient]:
    """The API's own identity, on a cluster with two Projects."""
    manifests = [
        *base_manifests(),
        *project_manifests(OURS.removeprefix("researcher-"), [SUBMITTERS], [VIEWERS], uploads_bucket=UPLOADS[3:]),
        *project_manifests(OTHERS.removeprefix("researcher-"), [OTHER_SUBMITTERS]),
    ]
    cluster_target.apply(manifests)
    client = cluster_target.client("researcher-api:test", ["researcher-api"])
    last = Ask("impersonate", f"groups/researcher:{OTHER_SUBMITTERS}")
    eventually(lambda: may(client, last))  # the API server's own copy of its roles follows within moments
    yield client
    client.close()
    cluster_target.remove(reversed(manifests))


@pytest.fixture
def space(cluster_target: Target) -> Iterator[TestNamespace]:
    """A namespace of the test's own, ready for pods."""
    found = TestNamespace(cluster_target.admin, f"contract-{secrets.token_hex(4)}")
    found.open()
    yield found
    found.close()
