"""The loss of a node with the real controllers; the outcome `node-unreachable` simulates it for one pod."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.gpu_node import GpuNodes
from tests.support.eventually import eventually
from tests.support.namespace import NamespaceClient, error_of, job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.control_plane import ControlPlane

LOST, HEALTHY = "node-loss-0", "node-loss-1"


@pytest.fixture
def nodes(plane: ControlPlane) -> Iterator[GpuNodes]:
    """Start two nodes: if all were lost, the controllers would not evict."""
    with GpuNodes(plane.admin, [LOST, HEALTHY]) as nodes:
        yield nodes
    plane.admin.delete(f"/api/v1/nodes/{HEALTHY}")


@pytest.fixture
def namespace(plane: ControlPlane) -> Iterator[NamespaceClient]:
    """Create a namespace."""
    namespace = NamespaceClient(plane.admin, "node-loss")
    namespace.open()
    yield namespace
    namespace.close()


def test_pod_ends_with_its_node(plane: ControlPlane, nodes: GpuNodes, namespace: NamespaceClient) -> None:
    """The pod is not ready, and deleted with DisruptionTarget; it ends when the Node object is deleted."""
    manifest = job("lost", "run-forever", podReplacementPolicy="Failed")
    manifest["spec"]["template"]["spec"] |= {
        "nodeSelector": {"kubernetes.io/hostname": LOST},
        "terminationGracePeriodSeconds": 1,
    }
    namespace.submit(manifest)
    namespace.await_pods("lost", phase="Running")

    nodes.lose(LOST)

    status = eventually(lambda: namespace.job("lost")["status"], lambda status: status.get("terminating") == 1)
    (pod,) = namespace.pods_of("lost")
    conditions = {each["type"]: each for each in pod["status"]["conditions"]}
    assert (pod["status"]["phase"], conditions["Ready"]["status"]) == ("Running", "False")
    assert conditions["DisruptionTarget"]["reason"] == "DeletionByTaintManager"
    assert namespace.events("NodeNotReady") == ["Node is not ready"]
    assert {"active", "failed"} & status.keys() == set()
    plane.admin.delete(f"/api/v1/nodes/{LOST}")
    log = error_of(lambda: plane.admin.text(f"{namespace.pods}/{pod['metadata']['name']}/log"))
    assert (log.status, log.message) == (404, f'pods "{LOST}" not found')
    eventually(lambda: namespace.job("lost")["status"].get("failed") == 1)
