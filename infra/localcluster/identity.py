"""The identity of a caller of the embedded API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

AUTHENTICATED = "system:authenticated"
MASTERS = "system:masters"


@dataclass(frozen=True)
class Identity:
    """A user, its groups and the extra fields of its token."""

    user: str
    groups: tuple[str, ...]
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def all_groups(self) -> frozenset[str]:
        """The groups, with the one of all authenticated users."""
        return frozenset(self.groups) | {AUTHENTICATED}
