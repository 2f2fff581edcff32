"""The TTL cache."""

from __future__ import annotations

from chalicelib.adapters.kubernetes.ttl_cache import MAX_ENTRIES, TtlCache
from tests.support.scripted_server import Clock


class TestGetOrLoad:
    """One value for each key."""

    def test_value_is_loaded_once_per_ttl(self) -> None:
        """A value is cached until its TTL ends; another key has another value."""
        clock = Clock()
        cache: TtlCache[str, int] = TtlCache(30, clock)

        first = cache.get_or_load("a", lambda: 1)
        clock.now += 29
        second = cache.get_or_load("a", lambda: 2)
        clock.now += 1
        third = cache.get_or_load("a", lambda: 3)

        assert (first, second, third, cache.get_or_load("b", lambda: 4)) == (1, 1, 3, 4)

    def test_many_keys_do_not_fill_the_memory(self) -> None:
        """The cache is cleared before it has too many entries."""
        cache: TtlCache[int, int] = TtlCache(30, Clock())
        for key in range(MAX_ENTRIES):
            cache.get_or_load(key, lambda: 1)

        cache.get_or_load(-1, lambda: 1)

        assert cache.get_or_load(0, lambda: 2) == 2
