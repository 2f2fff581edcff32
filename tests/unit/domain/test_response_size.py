"""How much fits into a response."""

from __future__ import annotations

import json

import msgspec
import pytest

from chalicelib.domain.response_size import MAX_BODY, fitting_count


class TestFitting:
    """The first parts of a page that fit together."""

    @pytest.mark.parametrize("text", ["a", '"', "\\", "\x01", "\u2028", "\U0001f600"])
    def test_as_lambda_sends_them(self, text: str) -> None:
        """As JSON in a text in JSON, which writes one quotation mark as four bytes."""
        parts = [text * 10_000] * 600

        count = fitting_count(parts)

        sizes = [len(json.dumps(msgspec.json.encode(parts[:end]).decode())) for end in (count, count + 1)]
        assert sizes[0] <= MAX_BODY + 4 * count < sizes[1] + 4 * count or count == len(parts)

    @pytest.mark.parametrize(("parts", "count"), [([], 0), ([None] * 9, 9), (["a"] * 9, 9), (["a" * MAX_BODY, "b"], 0)])
    def test_few_or_one_too_many(self, parts: list[str | None], count: int) -> None:
        """What is left out of a page takes no room."""
        assert fitting_count(parts) == count
