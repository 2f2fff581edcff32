"""How long a request may still take."""

from __future__ import annotations

import time

from chalicelib.deadline import Deadline


class TestDeadline:
    """A moment on the monotonic clock."""

    def test_what_is_past_leaves_nothing(self) -> None:
        """Never less than nothing: a negative time-out would be an error of its own."""
        assert Deadline(time.monotonic() - 60).remaining == 0.0
        assert Deadline(float("-inf")).remaining == 0.0

    def test_within_is_the_sooner_of_two(self) -> None:
        """A part of the work gets no more time than there is for all of it, whose end leaves time to tell."""
        assert Deadline(100.0).before(10) == Deadline(90.0)
        before = time.monotonic()
        soon, far = Deadline.after(1), Deadline.after(3600)
        assert before + 1 <= soon.at <= time.monotonic() + 1

        assert soon.within(60) == soon
        assert 59 < far.within(60).remaining <= 60

    def test_request_goes_along(self) -> None:
        """Whatever part of the work a call is of, it is of that request, and counted with the others."""
        whole = Deadline.after(60)
        named = Deadline(whole.at, "req-1")

        parts = [named.within(1), named.before(1)]
        parts[0].attempts.append(0.5)

        assert [part.request_id for part in parts] == ["req-1", "req-1"]
        assert [0.5] == named.attempts == parts[1].attempts
        assert whole.attempts == []
