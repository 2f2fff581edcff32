"""Tests of the API server's limit on annotations."""

from __future__ import annotations

import pytest

from chalicelib.domain.kubernetes.annotations import MAX_ANNOTATIONS, that_fit
from tests.support.builders import finished


@pytest.mark.parametrize(
    ("left", "expected"), [(-1, set()), (4, set()), (5, {"b"}), (10, {"b"}), (11, {"b", "c"}), (99, {"b", "c"})]
)
def test_annotations_that_fit(left: int, expected: set[str]) -> None:
    """The API server rejects larger annotations together with the label that has to be set with them."""
    full = finished(annotations={"a": "ü" * (MAX_ANNOTATIONS // 2 - 50) + "x" * (99 - left), "b": "2"})

    assert that_fit(full, {"b": "ü" * 2, "c": "12345"}).keys() == expected
