"""Verdicts that are good for a while."""

from __future__ import annotations

from chalicelib.adapters.kubernetes.ttl_cache import MAX_KEPT, Kept
from tests.support.scripted_server import Clock


class TestKept:
    """One verdict for each key."""

    def test_is_asked_for_once(self) -> None:
        """Until its time is over; another key has another verdict."""
        clock = Clock()
        kept: Kept[str, int] = Kept(30, clock)

        first = kept.find("a", lambda: 1)
        clock.now += 29
        second = kept.find("a", lambda: 2)
        clock.now += 1
        third = kept.find("a", lambda: 3)

        assert (first, second, third, kept.find("b", lambda: 4)) == (1, 1, 3, 4)

    def test_many_keys_do_not_fill_the_memory(self) -> None:
        """Old verdicts are forgotten before there are too many."""
        kept: Kept[int, int] = Kept(30, Clock())
        for key in range(MAX_KEPT):
            kept.find(key, lambda: 1)

        kept.find(-1, lambda: 1)

        assert kept.find(0, lambda: 2) == 2
