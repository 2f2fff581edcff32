"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

State = Literal["ok", "hint", "unknown", "failed"]
"""`hint`: correct as far as can be seen from outside. `unknown`: could not be checked."""


@dataclass(frozen=True)
class Finding:
    """What the check *name* found, and how to fix it."""

    name: str
    state: State
    found: str
    fix: str = ""


def ok(name: str, found: str) -> Finding:
    """Return the finding of a check that holds."""
    return Finding(name, "ok", found)


def failed(name: str, found: str, fix: str) -> Finding:
    """Return the finding of a check that does not hold."""
    return Finding(name, "failed", found, fix)


def check(name: str, found: str, problems: Iterable[str], fix: str) -> Finding:
    """Return a finding that fails with *problems*, if there are any, and otherwise holds with *found*."""
    listed = sorted(problems)
    return failed(name, "; ".join(listed) + ".", fix) if listed else ok(name, found)
