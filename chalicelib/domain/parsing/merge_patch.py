"""JSON merge patches (RFC 7396)."""

from __future__ import annotations

from typing import Any


def apply_merge_patch(target: Any, patch: Any) -> Any:  # noqa: ANN401 - JSON
    """Return *target* with *patch* applied: objects are merged, null removes a member, other values replace it."""
    if not isinstance(patch, dict):
        return patch
    members = target if isinstance(target, dict) else {}
    changed = {name: apply_merge_patch(members.get(name), value) for name, value in patch.items() if value is not None}
    return {name: value for name, value in {**members, **changed}.items() if name in changed or name not in patch}
