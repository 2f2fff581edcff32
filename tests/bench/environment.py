"""The environment of our functions and their peers in processes of their own."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.target import HERE, Target
from tests.support.configuration import configuration_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.bench.artefacts import Artefacts

PEERS = HERE / "peers"


def variables(url: str, ca_pem: str) -> dict[str, str]:
    """Return the environment variables of the stack in this process, with the API server at *url*."""
    configured = json.loads(Path(os.environ["CONFIGURATION_FILE"]).read_text("utf-8"))
    settings = {
        "CLUSTER_ENDPOINT": url,
        "CONFIGURATION_FILE": configuration_file(**configured | {"clusterAuthorities": [ca_pem]}),
        "ENDPOINT": "",
    }
    # The peers read these from the environment.
    peers = {
        "CLUSTER_CA": base64.b64encode(ca_pem.encode()).decode(),
        "TOKEN_ISSUER": configured["tokenIssuers"][0]["issuer"],
        "TOKEN_AUDIENCE": configured["tokenIssuers"][0]["audiences"][0],
    }
    return dict(os.environ) | settings | peers


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
