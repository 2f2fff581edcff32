"""The environment variables that the API sets."""

from __future__ import annotations

_RENDEZVOUS = ("MASTER_ADDR", "MASTER_PORT", "NNODES", "NODE_RANK")
RENDEZVOUS_VARIABLES = (*_RENDEZVOUS, *(f"PET_{name}" for name in _RENDEZVOUS))
"""Variables of a multi-node Job, for scripts; torchrun reads those with the prefix PET_ in place of its options."""
INDEX_MAP = "RESEARCHER_INDEX_MAP"
"""A variable of retries: comma-separated indexes of the original Job, in the order of the retry's own indexes."""
