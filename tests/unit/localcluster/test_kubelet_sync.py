"""The simulated kubelet with a clock: what takes too long in the contract tests, and that no outcome is forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from infra.localcluster.kubelet_sync import sync
from infra.localcluster.lost_node import NODE_REMOVED_AFTER
from infra.localcluster.simulation import OUTCOMES, SIMULATE, injected_container
from tests.support.builders import NOW

Pod = dict[str, Any]

RUN_TIME, GRACE = timedelta(seconds=1), timedelta(seconds=30)


def pod_of(outcome: str) -> Pod:
    """Return a new pod on the node, with the container that its outcome injects."""
    metadata = {"name": "one", "namespace": "team", "annotations": {SIMULATE: outcome}}
    pod: Pod = {"metadata": metadata, "spec": {"containers": [{"name": "main", "image": "image:1"}]}, "status": {}}
    if found := injected_container(pod):
        field, container = found
        pod["spec"].setdefault(field, []).append(container)
    return pod


def run(pod: Pod, seconds: int, start: int = 0) -> list[str]:
    """Run the kubelet from second *start* on; update *pod*, and return the events, and `deleted` or `removed`."""
    happened = []
    for second in range(start, start + seconds):
        result = sync(pod, NOW + timedelta(seconds=second), RUN_TIME)
        conditions = {each["type"]: each for each in pod["status"].get("conditions", ())}
        if result.status:
            conditions |= {each["type"]: each for each in result.status.get("conditions", ())}
            pod["status"] |= {**result.status, "conditions": list(conditions.values())}
        happened += [event.reason for event in result.events]
        happened += [name for name in ("delete", "remove") if getattr(result, name)]
        if result.delete:
            pod["metadata"]["deletionTimestamp"] = (NOW + timedelta(seconds=second) + GRACE).isoformat()
        if result.remove:
            break
    return happened


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_differs_from_success(outcome: str) -> None:
    """Every documented outcome leads to other statuses or events than those of a pod that succeeds."""
    usual, simulated = pod_of(""), pod_of(outcome.replace("exit-N", "exit-3"))

    events = run(usual, 5), run(simulated, 5)

    assert (usual["status"], events[0]) != (simulated["status"], events[1])


def test_pod_on_a_lost_node_ends_with_the_node() -> None:
    """The pod is deleted, outlives its grace period, and ends when the node is removed."""
    pod = pod_of("node-unreachable")
    until_removal = int((GRACE + NODE_REMOVED_AFTER).total_seconds())

    before = run(pod, until_removal)
    phase = pod["status"]["phase"]
    after = run(pod, 10, until_removal)

    assert (before, phase) == (["Started", "NodeNotReady", "TaintManagerEviction", "delete"], "Running")
    assert (after, pod["status"]["phase"]) == (["remove"], "Failed")
    assert pod["status"]["conditions"][-1]["reason"] == "DeletionByPodGC"


def test_deleted_before_it_started() -> None:
    """A pod that is deleted before its container has started has failed, without having run."""
    pod = pod_of("starting")
    run(pod, 1)
    pod["metadata"]["deletionTimestamp"] = (NOW + GRACE).isoformat()

    assert run(pod, 5, 1) == ["remove"]
    terminated = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (terminated["reason"], terminated["exitCode"]) == ("ContainerStatusUnknown", 137)
