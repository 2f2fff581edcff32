"""Tests of the list of events."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.job.event_list import EVENT_EXAMPLE, MAX_EVENTS, EventView, aggregate_events, created_pods
from chalicelib.domain.job.status_reason import MAX_MESSAGE
from chalicelib.domain.kubernetes.events import Event
from tests.support.builders import NOW, NOW_MS, event, meta, minutes_ago
from tests.support.kubernetes_objects import objects

LAMBDA_LIMIT = 6 * 2**20


def times(minutes: float) -> dict[str, Any]:
    """Return the times of an event that occurred once, *minutes* ago."""
    return {"first_timestamp": minutes_ago(minutes), "last_timestamp": minutes_ago(minutes)}


def later(seconds: float) -> datetime:
    """Return the time *seconds* after NOW."""
    return NOW + timedelta(seconds=seconds)


class TestAggregateEvents:
    """Tests of aggregate_events."""

    def test_documented_example_is_a_view(self) -> None:
        """The example in the OpenAPI document is a valid response."""
        assert msgspec.to_builtins(msgspec.convert(EVENT_EXAMPLE, EventView)) == EVENT_EXAMPLE

    def test_every_field(self) -> None:
        """The view contains every documented field."""
        (view,) = aggregate_events(
            [event("Started", "Container started", type="Normal", first_timestamp=minutes_ago(1))]
        )

        assert msgspec.to_builtins(view) == {
            "firstSeen": NOW_MS - 60_000,
            "lastSeen": NOW_MS,
            "count": 1,
            "type": "Normal",
            "reason": "Started",
            "object": {"kind": "Pod", "name": "train-1-abcde"},
            "message": "Container started",
        }

    def test_sorted_by_time(self) -> None:
        """Events are sorted by when they occurred last, then first."""
        events = [
            event("c", first_timestamp=minutes_ago(1)),
            event("a", **times(5)),
            event("b", first_timestamp=minutes_ago(2)),
        ]

        assert [view.reason for view in aggregate_events(events)] == ["a", "b", "c"]

    def test_identical_events_are_merged(self) -> None:
        """Merged events have the first and the last time of all, and the sum of their counts."""
        early: dict[str, Any] = {"first_timestamp": minutes_ago(9), "last_timestamp": minutes_ago(8), "count": 2}

        (view,) = aggregate_events([event("x", "m"), event("x", "m", **early)])

        assert (view.first_seen, view.last_seen, view.count) == (NOW_MS - 9 * 60_000, NOW_MS, 3)

    def test_failed_creations_of_different_pods_are_merged(self) -> None:
        """Messages that differ only in the name of the pod are identical; the last message is kept."""
        message = 'Error creating: pods "train-1-{}" is forbidden: exceeded quota'
        events = [event("FailedCreate", message.format(name), kind="Job", about=meta()) for name in ("bbbbb", "aaaaa")]
        events[1].last_timestamp = NOW + timedelta(seconds=1)

        (view,) = aggregate_events(events)

        assert (view.count, view.message) == (2, message.format("aaaaa"))

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(event("y", "m"), id="reason"),
            pytest.param(event("x", "n"), id="message"),
            pytest.param(event("x", "m", type="Warning"), id="type"),
            pytest.param(event("x", "m", kind="Job"), id="kind"),
            pytest.param(event("x", "m", about=meta("train-1-fghij")), id="object"),
        ],
    )
    def test_different_events_are_not_merged(self, other: Event) -> None:
        """Events that differ in any other field are separate."""
        assert len(aggregate_events([event("x", "m"), other])) == 2

    def test_size_is_limited(self) -> None:
        """Long messages are truncated and the oldest events are omitted, to fit into a Lambda response."""
        assert len(aggregate_events([event("x", "m" * 9999)])[0].message) == MAX_MESSAGE
        events = [
            event("x", str(number), last_timestamp=NOW + timedelta(seconds=number)) for number in range(MAX_EVENTS + 5)
        ]

        assert [view.message for view in aggregate_events(events)] == [
            str(number) for number in range(5, MAX_EVENTS + 5)
        ]

    @pytest.mark.parametrize("character", ["\x01", '"', "\\", "ü", "😀"])
    def test_response_fits_into_lambdas_limit(self, character: str) -> None:
        """Characters that are escaped twice take up to 7 bytes each: as many of the newest events as fit are left."""
        text = character * MAX_MESSAGE
        events = [
            event(text, f"{number}{text}", type=text, kind=text, about=meta(text), last_timestamp=later(number))
            for number in range(MAX_EVENTS)
        ]

        views = aggregate_events(events)

        assert len(json.dumps(msgspec.json.encode(views).decode())) < LAMBDA_LIMIT
        assert [view.last_seen for view in views][::-1] == [
            NOW_MS + 1000 * number for number in range(MAX_EVENTS - 1, MAX_EVENTS - 1 - len(views), -1)
        ]
        assert len(views) > MAX_EVENTS // 4

    @given(st.lists(objects(Event), max_size=4))
    def test_any_events(self, events: list[Event]) -> None:
        """Any field can be missing or contain any value."""
        views = aggregate_events(events)

        assert sum(view.count for view in views) >= len(events)
        assert msgspec.json.encode(views)


class TestCreatedPods:
    """Tests of created_pods."""

    def test_newest_first(self) -> None:
        """The names come from the messages of the Job controller, each once."""
        events = [
            event("SuccessfulCreate", "Created pod: train-1-aaaaa", **times(2)),
            event("SuccessfulCreate", "Created pod: train-1-bbbbb", **times(1)),
            event("SuccessfulCreate", "Created pod: train-1-aaaaa", **times(3)),
        ]

        assert created_pods(events) == ["train-1-bbbbb", "train-1-aaaaa"]

    @pytest.mark.parametrize(
        "other",
        [
            event("FailedCreate", "Created pod: train-1-aaaaa"),
            event("SuccessfulCreate", "Created pod: A,metadata.name=x"),
            event("SuccessfulCreate", "(combined from similar events): Created pod: train-1-aaaaa"),
            event("SuccessfulCreate", None),
        ],
    )
    def test_other_messages_are_ignored(self, other: Event) -> None:
        """Names are used in queries, so only the exact format is accepted."""
        assert created_pods([other]) == []
