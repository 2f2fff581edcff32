"""One module is one Lambda: its route, its facts for the OpenAPI document, its adapters, one use case; no rules."""

from __future__ import annotations


def names() -> list[str]:
    """All of them."""
    # Only here, not above: a Lambda is one function, and its cold start need not pay for finding the others.
    from pkgutil import iter_modules  # noqa: PLC0415

    return sorted(module.name for module in iter_modules(__path__))
