"""The figures that `make bench` tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.figures import Comparison, Figure, Limit, as_json, in_turns, table

if TYPE_CHECKING:
    from tests.bench.figures import Result

OURS, PEER = Figure.of("list_jobs", "ms", [30, 10, 20]), Figure.of("peer", "ms", [200.0])


class TestFigure:
    """Median and spread."""

    def test_tells_the_spread(self) -> None:
        """A median alone hides a busy machine."""
        assert str(OURS) == "20.0 (10.0 to 30.0) ms"

    def test_of_one_sample_has_none(self) -> None:
        """A size is a size."""
        assert str(PEER) == "200 ms"


class TestComparison:
    """One figure against another."""

    def test_within_reach(self) -> None:
        """The ratio of the medians."""
        assert Comparison(OURS, PEER, 0.1).row == (
            "| list_jobs | 20.0 (10.0 to 30.0) ms | peer: 200 ms | 0.10 | <= 0.1 |"
        )

    def test_missed(self) -> None:
        """It is said, not hidden."""
        assert "**missed**" in Comparison(OURS, PEER, 0.09).row

    def test_without_a_reach(self) -> None:
        """For the record."""
        assert Comparison(OURS, PEER).row.endswith("| 0.10 |  |")


class TestLimit:
    """One figure against a number."""

    def test_says_when_it_is_missed(self) -> None:
        """And when it is not, nothing."""
        assert "missed" in Limit(OURS, 19).row
        assert "missed" not in Limit(OURS, 20).row
        assert "missed" not in Limit(OURS).row


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
