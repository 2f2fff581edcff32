"""How large a response may be: Lambda answers 6 MB at most, as JSON in which the body is a text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_BODY = 5_000_000
"""Bytes of a body as Lambda sends it; the rest is for headers."""
MOST_ESCAPED = 4
"""Bytes that Lambda may send for one of a body: a quotation mark is written as two there, and then as four."""


def fitting_count(parts: Sequence[object]) -> int:
    """How many of *parts*, from the first on, fit into one response together; None among them takes no room."""
    texts = [b"" if part is None else msgspec.json.encode(part) for part in parts]
    if MOST_ESCAPED * sum(map(len, texts)) <= MAX_BODY:
        return len(parts)
    size = 0
    for number, text in enumerate(texts):
        size += len(json.dumps(text.decode()))
        if size > MAX_BODY:
            return number
    return len(parts)
