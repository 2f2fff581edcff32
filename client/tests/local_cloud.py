"""The local cloud as a process of its own: prints its session as JSON, and ends with its standard input."""

from __future__ import annotations

import json
import os
import sys
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from infra.local.local_stack import Stack
from infra.localcluster.cluster import EmbeddedCluster
from tests.cluster.real_cluster import RealCluster

if TYPE_CHECKING:
    from collections.abc import Callable

CLUSTERS: dict[str, Callable[..., EmbeddedCluster | RealCluster]] = {"embedded": EmbeddedCluster, "real": RealCluster}


def main() -> None:
    """Serve until the standard input ends."""
    make_cluster = CLUSTERS[os.environ.get("CLUSTER") or "embedded"]
    # The functions write their request log to stdout.
    stdout = sys.stdout
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        redirect_stdout(nowhere),
        Stack(partial(make_cluster, run_seconds=float(sys.argv[1]))) as stack,
    ):
        stdout.write(json.dumps(stack.session()) + "\n")
        stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
