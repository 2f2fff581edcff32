"""Merge patches, by the examples of RFC 7396."""

from __future__ import annotations

import pytest

from chalicelib.domain.parsing.merge_patch import apply_merge_patch


class TestMerged:
    """Appendix A of the RFC."""

    @pytest.mark.parametrize(
        ("target", "patch", "expected"),
        [
            ({"a": "b"}, {"a": "c"}, {"a": "c"}),
            ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
            ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
            ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
            ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
            (["a", "b"], ["c", "d"], ["c", "d"]),
            ({"a": "foo"}, None, None),
            ({"a": "foo"}, "bar", "bar"),
            ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
            ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
            ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ],
    )
    def test_examples(self, target: object, patch: object, expected: object) -> None:
        """Objects are merged, null takes away, all else replaces."""
        assert apply_merge_patch(target, patch) == expected

    def test_target_stays_as_it_was(self) -> None:
        """The original is only read."""
        target = {"a": {"b": "c"}}

        apply_merge_patch(target, {"a": {"b": None}})

        assert target == {"a": {"b": "c"}}
