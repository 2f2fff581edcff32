"""The figures that `make bench` tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bench.figures import Comparison, Figure, Limit, as_json, in_turns, table

if TYPE_CHECKING:
    from tests.bench.figures import Result

OURS, PEER = Figure.of("list_jobs", "ms", [30, 10, 20]), Figure.of("peer", "ms", [200.0])


@pytest.mark.parametrize(
    ("result", "row"),
    [
        (Comparison(OURS, PEER, 0.1), "| list_jobs | 20.0 (10.0 to 30.0) ms | peer: 200 ms | 0.10 | <= 0.1 |"),
        (
            Comparison(OURS, PEER, 0.09),
            "| list_jobs | 20.0 (10.0 to 30.0) ms | peer: 200 ms | 0.10 **missed** | <= 0.09 |",
        ),
        (Comparison(OURS, PEER), "| list_jobs | 20.0 (10.0 to 30.0) ms | peer: 200 ms | 0.10 |  |"),
        (Limit(OURS, 19), "| list_jobs | 20.0 (10.0 to 30.0) ms **missed** | | | <= 19 ms |"),
        (Limit(OURS, 20), "| list_jobs | 20.0 (10.0 to 30.0) ms | | | <= 20 ms |"),
        (Limit(OURS), "| list_jobs | 20.0 (10.0 to 30.0) ms | | |  |"),
        (Limit(PEER), "| peer | 200 ms | | |  |"),
    ],
)
def test_row(result: Result, row: str) -> None:
    """Median and spread, which alone shows a busy machine; what is missed is said, not hidden."""
    assert result.row == row


def test_turns_leave_out_the_first() -> None:
    """It pays for what all later ones find ready; each subject has its turn in each round, and another begins."""
    asked: list[str] = []

    def subject(name: str) -> float:
        asked.append(name)
        return float(len(asked))

    seen = in_turns({"a": lambda: subject("a"), "b": lambda: subject("b")}, rounds=2)

    assert asked == ["b", "a", "a", "b", "b", "a"]
    assert seen == {"a": [3.0, 6.0], "b": [4.0, 5.0]}


def test_table_and_json_tell_the_same() -> None:
    """One for people, one for programs."""
    results: list[Result] = [Comparison(OURS, PEER, 0.1), Limit(OURS)]

    assert table(results).count("\n") == 3
    assert [one["kind"] for one in as_json(results)] == ["Comparison", "Limit"]
    assert as_json(results)[0]["ours"]["median"] == 20
