"""JSON merge patches, as RFC 7396 merges them."""

from __future__ import annotations

from typing import Any


def apply_merge_patch(target: Any, patch: Any) -> Any:  # noqa: ANN401 - JSON
    """*target* as *patch* changes it: objects are merged, null takes a member away, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    kept = target if isinstance(target, dict) else {}
    changed = {name: apply_merge_patch(kept.get(name), value) for name, value in patch.items() if value is not None}
    return {name: value for name, value in {**kept, **changed}.items() if name in changed or name not in patch}
