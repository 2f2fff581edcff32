"""Tests of the size limit of a response."""

from __future__ import annotations

import json

import msgspec
import pytest

from chalicelib.domain.response_size import MAX_BODY, fitting_count


class TestFittingCount:
    """Tests of fitting_count."""

    @pytest.mark.parametrize("text", ["a", '"', "\\", "\x01", "\u2028", "\U0001f600"])
    def test_counts_escaped_bytes(self, text: str) -> None:
        """The limit applies to the body as Lambda sends it: JSON, escaped as a string in JSON."""
        parts = [text * 10_000] * 600

        count = fitting_count(parts)

        sizes = [len(json.dumps(msgspec.json.encode(parts[:end]).decode())) for end in (count, count + 1)]
        assert sizes[0] <= MAX_BODY + 4 * count < sizes[1] + 4 * count or count == len(parts)

    @pytest.mark.parametrize(("parts", "count"), [([], 0), ([None] * 9, 9), (["a"] * 9, 9), (["a" * MAX_BODY, "b"], 0)])
    def test_small_and_oversized_parts(self, parts: list[str | None], count: int) -> None:
        """None counts as 0 bytes, and a part that is too large on its own does not fit."""
        assert fitting_count(parts) == count
