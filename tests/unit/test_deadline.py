"""The remaining time of a request."""

from __future__ import annotations

import time

from chalicelib.deadline import Deadline


class TestDeadline:
    """A time on the monotonic clock."""

    def test_past_deadline_has_no_time_left(self) -> None:
        """The remaining time is never negative, because a negative timeout is an error."""
        assert Deadline(time.monotonic() - 60).remaining == 0.0
        assert Deadline(float("-inf")).remaining == 0.0

    def test_within_returns_the_earlier_deadline(self) -> None:
        """A part of a request ends at the earlier of its own and the request's deadline."""
        assert Deadline(100.0).before(10) == Deadline(90.0)
        before = time.monotonic()
        soon, far = Deadline.after(1), Deadline.after(3600)
        assert before + 1 <= soon.at <= time.monotonic() + 1

        assert soon.within(60) == soon
        assert 59 < far.within(60).remaining <= 60

    def test_parts_share_the_request(self) -> None:
        """Parts of a request share its ID and its attempts."""
        whole = Deadline.after(60)
        named = Deadline(whole.at, "req-1")

        parts = [named.within(1), named.before(1)]
        parts[0].attempts.append(0.5)

        assert [part.request_id for part in parts] == ["req-1", "req-1"]
        assert [0.5] == named.attempts == parts[1].attempts
        assert whole.attempts == []
