"""`make run`: the local cloud with the embedded cluster."""

from __future__ import annotations

import sys

from infra.local.dev_server import serve
from infra.localcluster.cluster import EmbeddedCluster

if __name__ == "__main__":
    sys.exit(serve(EmbeddedCluster, "EMBEDDED: a Kubernetes API in memory with one fake 8-GPU node"))
