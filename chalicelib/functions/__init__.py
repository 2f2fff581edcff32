"""One module is one Lambda: its route, its operation in the OpenAPI document, its adapters and one use case; no rules.

A module whose name begins with an underscore is no Lambda: several functions share what it has.
"""

from __future__ import annotations


def names() -> list[str]:
    """Return the names of all functions."""
    # Only here, not above: a Lambda is one function, and its cold start need not pay for finding the others.
    from pkgutil import iter_modules  # noqa: PLC0415

    return sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
