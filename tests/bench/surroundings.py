"""What our functions and their peers know of a stack, when they run in processes of their own beside it."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

from tests.bench.subject import HERE, Subject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.bench.artefacts import Artefacts

PEERS = HERE / "peers"


def environment(url: str, ca_pem: str) -> dict[str, str]:
    """The variables of the stack that runs in this process, with the API server at *url*."""
    authority = base64.b64encode(ca_pem.encode()).decode()
    return dict(os.environ) | {"CLUSTER_ENDPOINT": url, "CLUSTER_CA": authority, "ENDPOINT": ""}


def ours(made: Artefacts, entry: str, variables: Mapping[str, str]) -> Subject:
    """Our bundle, answering by *entry* of ours.py."""
    return Subject(f"ours:{entry}", [HERE, made.ours, made.runtime], variables)


def direct(entry: str, variables: Mapping[str, str]) -> Subject:
    """The floor, answering by *entry* of direct.py."""
    return Subject(f"direct:{entry}", [PEERS / "direct"], variables)


def peer(made: Artefacts, entry: str, variables: Mapping[str, str]) -> Subject:
    """A peer with the packages of the peers' own environment, compiled."""
    folders = [PEERS / name for name in ("plain", "typed", "direct")]
    return Subject(entry, [*folders, made.bytecode], variables)
