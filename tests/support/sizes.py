"""How many cases a test tries: few at every change, many once a week (`make thorough` sets THOROUGH)."""

from __future__ import annotations

import os

THOROUGH = bool(os.environ.get("THOROUGH"))


def cases(usual: int, thorough: int) -> int:
    """Return how many of them this run tries."""
    return thorough if THOROUGH else usual
