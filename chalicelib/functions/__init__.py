"""Each module is one Lambda function: its route, its OpenAPI operation, its adapters and one use case, without rules.

Modules whose names begin with an underscore are shared by several functions.
"""

from __future__ import annotations


def names() -> list[str]:
    """Return the names of all functions."""
    # Imported here, because a Lambda does not need the other functions and should not pay for this on a cold start.
    from pkgutil import iter_modules  # noqa: PLC0415

    return sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
