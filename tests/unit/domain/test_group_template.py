"""Tests of groups that are made of several claims."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.domain.errors import Unauthenticated
from chalicelib.domain.group_template import GroupTemplate

VALUES = st.text("ab@:1", max_size=4)


class TestParse:
    """Which templates are valid."""

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("", id="empty"),
            pytest.param("team-a", id="no claim"),
            pytest.param("{}", id="claim without a name"),
            pytest.param("{a}{b}", id="nothing between two claims"),
            pytest.param("{a}x{b}", id="letters between two claims"),
            pytest.param("{a}@x@{b}", id="letters between separators"),
            pytest.param("{a}@{b}{c}", id="nothing between the last two"),
            pytest.param("{a", id="open brace"),
            pytest.param("{a}}", id="closing brace"),
            pytest.param("{{a}}", id="two braces"),
            pytest.param("{a}\n", id="newline"),
            pytest.param("{a} {b}", id="space between two claims"),
            pytest.param("é{a}", id="not ASCII"),
            pytest.param("{a},{b}", id="comma"),
        ],
    )
    def test_invalid(self, text: str) -> None:
        """A template that could mix up two claims, or that makes no group, is an error of the configuration."""
        with pytest.raises(ValueError, match=r"^groupTemplate (must|has) "):
            GroupTemplate.parse(text)


class TestGroup:
    """The group for some claims."""

    @pytest.mark.parametrize(
        ("text", "group"),
        [
            ("{repository}", "acme/train"),
            ("{id}@{environment}", "74@prod-1"),
            ("ci/{id}:{environment}.x", "ci/74:prod-1.x"),
            ("{kubernetes.io/sub}", "ns"),
            ("{id}@{id}", "74@74"),
        ],
    )
    def test_is_made_of_claims(self, text: str, group: str) -> None:
        """Strings and integers are claims that a group can be made of."""
        claims = {"repository": "acme/train", "id": 74, "environment": "prod-1", "kubernetes.io/sub": "ns"}

        assert GroupTemplate.parse(text).group(claims) == group

    @pytest.mark.parametrize("value", [None, "", True, False, 1.5, [], ["a"], {}, "a@b", "@", "a:b"], ids=ascii)
    def test_other_claims_refuse_the_token(self, value: object) -> None:
        """A claim of another type, an empty one, or one with a separator is refused; the response has no value."""
        for claims in ({"a": value, "b": "x"}, {"a": "x", "b": value}):
            with pytest.raises(Unauthenticated) as error:
                GroupTemplate.parse("{a}@:{b}").group(claims)
            assert "with a separator" in error.value.__notes__[0] or "missing" in error.value.__notes__[0]

    def test_missing_claim_refuses_the_token(self) -> None:
        """The group of a token without an environment is not that of an environment without a name."""
        with pytest.raises(Unauthenticated):
            GroupTemplate.parse("{a}@{b}").group({"a": "x"})

    @given(st.tuples(VALUES, VALUES), st.tuples(VALUES, VALUES), st.sampled_from(["{a}@{b}", "1{a}@:@{b}a", "{a}:{b}"]))
    def test_different_claims_have_different_groups(self, one: Any, other: Any, text: str) -> None:  # noqa: ANN401
        """No two tokens with different claims get the same group."""
        assume(one != other)
        groups = []
        for values in (one, other):
            try:
                groups.append(GroupTemplate.parse(text).group(dict(zip("ab", values, strict=True))))
            except Unauthenticated:
                return

        assert groups[0] != groups[1]
