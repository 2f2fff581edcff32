"""The number of cases that a test tries: few for each change, many once a week (`make thorough` sets THOROUGH)."""

from __future__ import annotations

import os

THOROUGH = bool(os.environ.get("THOROUGH"))


def cases(usual: int, thorough: int) -> int:
    """Return the number of cases of this run."""
    return thorough if THOROUGH else usual
