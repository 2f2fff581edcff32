"""Tests of Kubernetes Events."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.kubernetes.events import Series
from tests.support.builders import event, meta, minutes_ago

NO_TIMES: dict[str, Any] = {"first_timestamp": None, "last_timestamp": None, "count": None}
NEWER: dict[str, Any] = {**NO_TIMES, "event_time": minutes_ago(2)}
"""The fields of an event of events.k8s.io/v1."""


class TestTimes:
    """Tests of the times and the count of events."""

    @pytest.mark.parametrize(
        ("fields", "first", "last", "times"),
        [
            pytest.param({"first_timestamp": minutes_ago(3), "count": 4}, 3, 0, 4, id="core/v1"),
            pytest.param(NEWER, 2, 2, 1, id="events.k8s.io/v1"),
            pytest.param({**NEWER, "series": Series(count=7, last_observed_time=minutes_ago(1))}, 2, 1, 7, id="series"),
            pytest.param({**NEWER, "series": Series()}, 2, 2, 1, id="empty series"),
            pytest.param(
                {**NO_TIMES, "metadata": meta(creation_timestamp=minutes_ago(5))}, 5, 5, 1, id="creation timestamp"
            ),
            pytest.param({"last_timestamp": minutes_ago(9)}, 0, 0, 1, id="last before first"),
        ],
    )
    def test_both_formats(self, fields: dict[str, Any], first: int, last: int, times: int) -> None:
        """The times and the count are read from the fields of either format."""
        subject = event(**fields)

        assert (subject.first_seen, subject.last_seen, subject.times) == (minutes_ago(first), minutes_ago(last), times)
