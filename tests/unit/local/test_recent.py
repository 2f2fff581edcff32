"""A bounded memory."""

from __future__ import annotations

from infra.local.recent import Recent


class TestRecent:
    """What is found again."""

    def test_value_is_found_for_a_while(self) -> None:
        """And not a moment longer."""
        recent: Recent[str] = Recent(size=2, seconds=10)
        recent.put(b"a", "A", now=100)

        assert recent.get(b"a", now=109.9) == "A"
        assert recent.get(b"a", now=110) is None
        assert recent.get(b"b", now=100) is None

    def test_oldest_makes_room(self) -> None:
        """A value put in again counts as new."""
        recent: Recent[str] = Recent(size=2, seconds=10)
        for key in (b"a", b"b", b"a", b"c"):
            recent.put(key, key.decode(), now=100)

        assert [recent.get(key, now=100) for key in (b"a", b"b", b"c")] == ["a", None, "c"]
