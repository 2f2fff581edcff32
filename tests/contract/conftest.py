"""The cluster that the contract is checked on, with two Projects."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.kubernetes.project import base_manifests, project_manifests
from tests.cluster.assets import assets_folder, is_ready
from tests.cluster.control_plane import ControlPlane
from tests.cluster.rights import OTHER_SUBMITTERS, OTHERS, OURS, SUBMITTERS, UPLOADS, VIEWERS, Ask, may
from tests.cluster.target import KubeconfigTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.json_client import JsonClient
    from tests.cluster.target import Target


@pytest.fixture(scope="session")
def cluster_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The cluster of KUBECONFIG, else a control plane of our own, where its binaries are built."""
    workdir, assets = tmp_path_factory.mktemp("cluster"), assets_folder(os.environ)
    if kubeconfig := os.environ.get("KUBECONFIG"):
        target = KubeconfigTarget(Path(kubeconfig), workdir)
        yield target
        target.admin.close()
    elif is_ready(assets):
        with ControlPlane(assets, workdir) as plane:
            yield plane
    else:
        pytest.skip(f"no API server: set KUBECONFIG, or build one with python -m tests.cluster.build ({assets})")


@pytest.fixture(scope="session")
def own_identity(cluster_target: Target) -> Iterator[JsonClient]:
    """The API's own identity, on a cluster with two Projects."""
    manifests = [
        *base_manifests(),
        *project_manifests(OURS.removeprefix("researcher-"), [SUBMITTERS], [VIEWERS], uploads_bucket=UPLOADS[3:]),
        *project_manifests(OTHERS.removeprefix("researcher-"), [OTHER_SUBMITTERS]),
    ]
    for manifest in manifests:
        cluster_target.admin.apply(manifest)
    client = cluster_target.client("researcher-api:test", ["researcher-api"])
    last = Ask("impersonate", f"groups/researcher:{OTHER_SUBMITTERS}")
    while not may(client, last):  # the API server's own copy of its roles follows within moments
        time.sleep(0.05)
    yield client
    client.close()
    for manifest in reversed(manifests):
        cluster_target.admin.delete(cluster_target.admin.path_of(manifest))
