"""The size limit of a response: Lambda returns at most 6 MB of JSON, in which the body is an escaped string."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_BODY = 5_000_000
"""Bytes of the escaped body; the rest of the 6 MB is for headers."""
MAX_ESCAPING_FACTOR = 4
"""Upper bound for the size of one byte of the body after escaping, in bytes."""


def fitting_count(parts: Sequence[object]) -> int:
    """Return how many of *parts*, counted from the first, fit into one response; None counts as 0 bytes."""
    texts = [b"" if part is None else msgspec.json.encode(part) for part in parts]
    if MAX_ESCAPING_FACTOR * sum(map(len, texts)) <= MAX_BODY:
        return len(parts)
    size = 0
    for number, text in enumerate(texts):
        size += len(json.dumps(text.decode()))
        if size > MAX_BODY:
            return number
    return len(parts)
