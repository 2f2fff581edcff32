"""Processes that are measured: what they are told, what they tell."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.bench.subject import Subject
from tests.bench.worker import measured, peak

if TYPE_CHECKING:
    from pathlib import Path

CODE = """
import sys
held = []
def doubled(number):
    print("not an answer")
    held.append(bytearray(number * 10**6))
    return 2 * number
"""


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    """One that doubles numbers, and holds a MB for each."""
    (tmp_path / "own.py").write_text(CODE)
    return Subject("own:doubled", [tmp_path], os.environ)


class TestSubject:
    """A process of its own."""

    def test_answers_list_after_list(self, subject: Subject) -> None:
        """What it prints itself is not among the answers."""
        with subject as asked:
            first, second = asked.ask([1, 2], {2, 4}), asked.ask([3], {6})

        assert (first.answers, second.answers) == ([2, 4], [6])
        assert (len(first.wall), len(second.wall)) == (2, 1)
        assert first.loaded == second.loaded > 0

    def test_refuses_another_answer(self, subject: Subject) -> None:
        """An error that is fast is no success."""
        with subject as asked, pytest.raises(AssertionError, match="own:doubled answered"):
            asked.ask([1], {3})

    def test_tells_its_own_peak(self, subject: Subject) -> None:
        """It grows with what is held, and does not begin with what this process holds."""
        with subject as asked:
            small, large = asked.ask([1], {2}).peak, asked.ask([50], {100}).peak

        assert large - small == pytest.approx(50, abs=5)


def test_measured_tells_of_each_request() -> None:
    """Times of each, the processor's for all, and the answers in their order."""
    told = measured(lambda number: number + 1, [1, 2])

    assert told["answers"] == [2, 3]
    assert len(told["wall"]) == 2
    assert told["cpu"] >= 0
    assert told["peak"] == pytest.approx(peak(), rel=0.1)
