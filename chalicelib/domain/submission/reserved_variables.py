"""The environment variables that the API sets."""

from __future__ import annotations

_RENDEZVOUS = ("MASTER_ADDR", "MASTER_PORT", "NNODES", "NODE_RANK")
RENDEZVOUS_VARIABLES = (*_RENDEZVOUS, *(f"PET_{name}" for name in _RENDEZVOUS))
"""Of a multi-node Job: what a script reads, and by the other name torchrun itself, in place of its options."""
INDEX_MAP = "RESEARCHER_INDEX_MAP"
"""In the pods of a retry: at the place of the pod's own index, the index of the original Job that it works on."""
