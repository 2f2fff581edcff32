"""Tests of merge patches, with the examples of RFC 7396."""

from __future__ import annotations

import pytest

from chalicelib.domain.parsing.merge_patch import apply_merge_patch


class TestApplyMergePatch:
    """Tests of apply_merge_patch."""

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
        """The results are those of Appendix A of the RFC."""
        assert apply_merge_patch(target, patch) == expected

    def test_target_is_not_changed(self) -> None:
        """The target is not modified."""
        target = {"a": {"b": "c"}}

        apply_merge_patch(target, {"a": {"b": None}})

        assert target == {"a": {"b": "c"}}
