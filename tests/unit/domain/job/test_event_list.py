"""What the cluster recorded, merged into one list."""

from __future__ import annotations

from datetime import timedelta
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


def seen(minutes: float) -> dict[str, Any]:
    """The times of an event that came once, *minutes* ago."""
    return {"first_timestamp": minutes_ago(minutes), "last_timestamp": minutes_ago(minutes)}


class TestMerged:
    """One list of all that happened."""

    def test_documented_example_is_a_view(self) -> None:
        """The OpenAPI document shows what is really answered."""
        assert msgspec.to_builtins(msgspec.convert(EVENT_EXAMPLE, EventView)) == EVENT_EXAMPLE

    def test_every_field(self) -> None:
        """On the wire as documented."""
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

    def test_latest_last(self) -> None:
        """In the order of their last times, then of their first."""
        found = [
            event("c", first_timestamp=minutes_ago(1)),
            event("a", **seen(5)),
            event("b", first_timestamp=minutes_ago(2)),
        ]

        assert [view.reason for view in aggregate_events(found)] == ["a", "b", "c"]

    def test_the_same_is_counted(self) -> None:
        """The span is that of all, the count their sum."""
        early: dict[str, Any] = {"first_timestamp": minutes_ago(9), "last_timestamp": minutes_ago(8), "count": 2}

        (view,) = aggregate_events([event("x", "m"), event("x", "m", **early)])

        assert (view.first_seen, view.last_seen, view.count) == (NOW_MS - 9 * 60_000, NOW_MS, 3)

    def test_refusals_of_one_pod_after_the_other_are_the_same(self) -> None:
        """Their messages differ by the name of a pod that never was; the last one is shown."""
        told = 'Error creating: pods "train-1-{}" is forbidden: exceeded quota'
        found = [event("FailedCreate", told.format(name), kind="Job", about=meta()) for name in ("bbbbb", "aaaaa")]
        found[1].last_timestamp = NOW + timedelta(seconds=1)

        (view,) = aggregate_events(found)

        assert (view.count, view.message) == (2, told.format("aaaaa"))

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
    def test_others_are_not(self, other: Event) -> None:
        """What differs in anything else stands for itself."""
        assert len(aggregate_events([event("x", "m"), other])) == 2

    def test_newest_of_very_many(self) -> None:
        """The oldest are left out, and long ones cut: a list of them stays below what a Lambda may answer."""
        assert len(aggregate_events([event("x", "m" * 9999)])[0].message) == MAX_MESSAGE
        found = [
            event("x", str(number), last_timestamp=NOW + timedelta(seconds=number)) for number in range(MAX_EVENTS + 5)
        ]

        assert [view.message for view in aggregate_events(found)] == [
            str(number) for number in range(5, MAX_EVENTS + 5)
        ]

    @given(st.lists(objects(Event), max_size=4))
    def test_any_events(self, found: list[Event]) -> None:
        """Whatever stands in their fields, or does not."""
        views = aggregate_events(found)

        assert sum(view.count for view in views) >= len(found)
        assert msgspec.json.encode(views)


class TestCreatedPods:
    """The pods that a Job has had."""

    def test_newest_first(self) -> None:
        """By the words of the Job's controller, each once."""
        found = [
            event("SuccessfulCreate", "Created pod: train-1-aaaaa", **seen(2)),
            event("SuccessfulCreate", "Created pod: train-1-bbbbb", **seen(1)),
            event("SuccessfulCreate", "Created pod: train-1-aaaaa", **seen(3)),
        ]

        assert created_pods(found) == ["train-1-bbbbb", "train-1-aaaaa"]

    @pytest.mark.parametrize(
        "other",
        [
            event("FailedCreate", "Created pod: train-1-aaaaa"),
            event("SuccessfulCreate", "Created pod: A,metadata.name=x"),
            event("SuccessfulCreate", "(combined from similar events): Created pod: train-1-aaaaa"),
            event("SuccessfulCreate", None),
        ],
    )
    def test_other_words_name_none(self, other: Event) -> None:
        """A name reaches a query, so nothing is guessed."""
        assert created_pods([other]) == []
