"""Kubernetes Events of both generations."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.kubernetes.events import Series
from tests.support.builders import event, meta, minutes_ago

NO_TIMES: dict[str, Any] = {"first_timestamp": None, "last_timestamp": None, "count": None}
NEWER: dict[str, Any] = {**NO_TIMES, "event_time": minutes_ago(2)}
"""An event of the generation that has one time and a series."""


class TestTimes:
    """When an event came, and how often."""

    @pytest.mark.parametrize(
        ("fields", "first", "last", "times"),
        [
            pytest.param({"first_timestamp": minutes_ago(3), "count": 4}, 3, 0, 4, id="older"),
            pytest.param(NEWER, 2, 2, 1, id="newer"),
            pytest.param({**NEWER, "series": Series(count=7, last_observed_time=minutes_ago(1))}, 2, 1, 7, id="series"),
            pytest.param({**NEWER, "series": Series()}, 2, 2, 1, id="empty series"),
            pytest.param({**NO_TIMES, "metadata": meta(creation_timestamp=minutes_ago(5))}, 5, 5, 1, id="made then"),
            pytest.param({"last_timestamp": minutes_ago(9)}, 0, 0, 1, id="ends before it begins"),
        ],
    )
    def test_of_both_generations(self, fields: dict[str, Any], first: int, last: int, times: int) -> None:
        """Whatever fields they use."""
        found = event(**fields)

        assert (found.first_seen, found.last_seen, found.times) == (minutes_ago(first), minutes_ago(last), times)
