"""The environment of our functions and their peers in processes of their own."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

from tests.bench.target import HERE, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.bench.artefacts import Artefacts

PEERS = HERE / "peers"


def variables(url: str, ca_pem: str) -> dict[str, str]:
    """Return the environment variables of the stack in this process, with the API server at *url*."""
    authority = base64.b64encode(ca_pem.encode()).decode()
    return dict(os.environ) | {"CLUSTER_ENDPOINT": url, "CLUSTER_CA": authority, "ENDPOINT": ""}


def ours(artefacts: Artefacts, entry: str, variables: Mapping[str, str]) -> Target:
    """Start a process with our bundle and *entry* of product.py."""
    return Target(f"product:{entry}", [HERE, artefacts.ours, artefacts.runtime], variables)


def direct(entry: str, variables: Mapping[str, str]) -> Target:
    """Start a process of the floor with *entry* of direct.py."""
    return Target(f"direct:{entry}", [PEERS / "direct"], variables)


def peer(artefacts: Artefacts, entry: str, variables: Mapping[str, str]) -> Target:
    """Start a process of a peer, with the compiled packages of the peers' environment."""
    folders = [PEERS / name for name in ("plain", "typed", "direct")]
    return Target(entry, [*folders, artefacts.bytecode], variables)
