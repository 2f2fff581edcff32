"""Tests of the events of autoscalers."""

from __future__ import annotations

import pytest

from chalicelib.domain.diagnosis.autoscaler import is_adding_node
from chalicelib.domain.kubernetes.events import Event, EventSource
from tests.support.builders import event, minutes_ago


def seen(reason: str, minutes: float, component: str = "cluster-autoscaler") -> Event:
    """Return an event of *component* that occurred *minutes* before NOW."""
    time = minutes_ago(minutes)
    return event(reason, source=EventSource(component=component), first_timestamp=time, last_timestamp=time)


class TestIsAddingNode:
    """Tests of is_adding_node."""

    @pytest.mark.parametrize(
        ("events", "expected"),
        [
            ([], False),
            ([seen("TriggeredScaleUp", 2)], True),
            ([seen("TriggeredScaleUp", 2), seen("NotTriggerScaleUp", 1)], False),
            ([seen("NotTriggerScaleUp", 2), seen("TriggeredScaleUp", 1)], True),
            ([seen("Nominated", 2, "karpenter"), seen("FailedScheduling", 1, "default-scheduler")], True),
            ([seen("Nominated", 2, "karpenter"), seen("FailedScheduling", 1, "karpenter")], False),
            ([seen("Nominated", 2, "karpenter"), seen("FailedScheduling", 1, "eks-auto-mode/compute")], False),
        ],
    )
    def test_last_decision(self, events: list[Event], expected: bool) -> None:
        """The last event of an autoscaler decides; the scheduler reports until the node is there that none matches."""
        assert is_adding_node(events) is expected
