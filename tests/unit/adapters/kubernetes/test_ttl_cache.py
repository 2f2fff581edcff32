"""Verdicts that are good for a while."""

from __future__ import annotations

from chalicelib.adapters.kubernetes.ttl_cache import MAX_ENTRIES, TtlCache
from tests.support.scripted_server import Clock


class TestKept:
    """One verdict for each key."""

    def test_is_asked_for_once(self) -> None:
        """Until its time is over; another key has another verdict."""
        clock = Clock()
        kept: TtlCache[str, int] = TtlCache(30, clock)

        first = kept.get_or_load("a", lambda: 1)
        clock.now += 29
        second = kept.get_or_load("a", lambda: 2)
        clock.now += 1
        third = kept.get_or_load("a", lambda: 3)

        assert (first, second, third, kept.get_or_load("b", lambda: 4)) == (1, 1, 3, 4)

    def test_many_keys_do_not_fill_the_memory(self) -> None:
        """Old verdicts are forgotten before there are too many."""
        kept: TtlCache[int, int] = TtlCache(30, Clock())
        for key in range(MAX_ENTRIES):
            kept.get_or_load(key, lambda: 1)

        kept.get_or_load(-1, lambda: 1)

        assert kept.get_or_load(0, lambda: 2) == 2
