"""Tests of the causes and their remedies."""

from __future__ import annotations

from typing import get_args

import pytest

from chalicelib.domain.diagnosis.causes import REMEDIES, Cause


def test_every_cause_has_a_remedy() -> None:
    """The remedies have the same causes in the same order as the type."""
    assert list(REMEDIES) == list(get_args(Cause))


@pytest.mark.parametrize("remedy", REMEDIES.values())
def test_remedy_is_one_sentence(remedy: str) -> None:
    """A remedy is one sentence, so that it is quick to read."""
    assert (remedy[0].isupper(), remedy.count(". "), remedy[-1]) == (True, 0, ".")
