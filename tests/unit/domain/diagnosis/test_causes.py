"""Tests of the causes and their remedies."""

from __future__ import annotations

from typing import get_args

import pytest

from chalicelib.domain.diagnosis.causes import EXPLANATIONS, Cause

REMEDIES = [text for each in EXPLANATIONS.values() for text in (each.remedy, each.remedy_after_end) if text]


class TestExplanations:
    """Tests of EXPLANATIONS."""

    def test_every_cause_is_explained(self) -> None:
        """The explanations have the same causes in the same order as the type."""
        assert list(EXPLANATIONS) == list(get_args(Cause))

    @pytest.mark.parametrize("remedy", REMEDIES)
    def test_remedy_is_one_sentence(self, remedy: str) -> None:
        """A remedy is one sentence, so that it is quick to read."""
        assert (remedy[0].isupper(), remedy.count(". "), remedy[-1]) == (True, 0, ".")
