"""`make run CLUSTER=real`: the local cloud on the test control plane."""

from __future__ import annotations

import sys

from infra.local.dev_server import serve
from tests.cluster.real_cluster import RealCluster

if __name__ == "__main__":
    sys.exit(serve(RealCluster, "a real Kubernetes control plane with one simulated 8-GPU node"))
