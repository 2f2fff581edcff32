"""Events of the autoscalers that add nodes: Cluster Autoscaler, Karpenter, and EKS Auto Mode, which runs Karpenter.

While a node is being added, the scheduler still reports that the existing nodes do not match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.kubernetes.events import Event

SCALING = frozenset({"TriggeredScaleUp", "Nominated"})
"""A node for the pod is being added."""
NOT_SCALING = "NotTriggerScaleUp"
KARPENTER = ("karpenter", "eks-auto-mode/compute")
"""Karpenter reports that it cannot add a node with the scheduler's reason, FailedScheduling."""


def is_adding_node(events: Sequence[Event]) -> bool:
    """Return whether the last event of an autoscaler about a pod is that a node is being added."""
    decisions = [event for event in events if event.reason in SCALING or _is_refusal(event)]
    last = max(decisions, key=lambda event: event.last_seen, default=None)
    return last is not None and last.reason in SCALING


def _is_refusal(event: Event) -> bool:
    if event.reason == NOT_SCALING:
        return True
    return event.reason == "FailedScheduling" and any(component in KARPENTER for component in event.components)
