"""Who asks the embedded API: as its token says, or as whom it may impersonate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

AUTHENTICATED = "system:authenticated"
MASTERS = "system:masters"


@dataclass(frozen=True)
class Identity:
    """A user, its groups, and what else its token tells."""

    user: str
    groups: tuple[str, ...]
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def all_groups(self) -> frozenset[str]:
        """The groups, with the one that everybody is in who has a token."""
        return frozenset(self.groups) | {AUTHENTICATED}
