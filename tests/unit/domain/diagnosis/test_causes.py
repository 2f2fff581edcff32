"""What a diagnosis can come to."""

from __future__ import annotations

from typing import get_args

import pytest

from chalicelib.domain.diagnosis.causes import REMEDIES, Cause


def test_every_cause_has_a_remedy() -> None:
    """In their order, none missing and none too many."""
    assert list(REMEDIES) == list(get_args(Cause))


@pytest.mark.parametrize("remedy", REMEDIES.values())
def test_a_remedy_is_one_sentence(remedy: str) -> None:
    """It is read by people in a hurry."""
    assert (remedy[0].isupper(), remedy.count(". "), remedy[-1]) == (True, 0, ".")
