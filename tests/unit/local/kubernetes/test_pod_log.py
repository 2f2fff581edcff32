"""What a pod on paper would have printed, and what a kubelet gives out of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from infra.local.kubernetes.pod_log import LOG_VARIABLE, NoLogError, Wanted, given_out

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RUNNING = {"running": {"startedAt": "2026-01-02T03:04:05Z"}}


def pod(text: str | None = "a", state: dict[str, Any] | None = None, **container: object) -> dict[str, Any]:
    """A pod of one container that prints *text*."""
    env = [] if text is None else [{"name": LOG_VARIABLE, "value": text}]
    spec = {"name": "main", "image": "image:1", "env": env, **container}
    status = {"name": "main", "state": RUNNING if state is None else state}
    return {"metadata": {"name": "one"}, "spec": {"containers": [spec]}, "status": {"containerStatuses": [status]}}


@pytest.mark.parametrize(
    ("container", "line"),
    [({}, b"$ image:1"), ({"command": ["torchrun"], "args": ["train.py"]}, b"$ torchrun train.py")],
)
def test_what_would_run(container: dict[str, Any], line: bytes) -> None:
    """A newcomer sees that nothing is executed, and what would be."""
    lines = given_out(pod(None, **container), "main", Wanted(), START).splitlines()

    assert lines[:2] == [b"one runs on paper: nothing is executed.", line]
    assert lines[-1] == b"epoch 3 of 3: loss 0.333"


@pytest.mark.parametrize(
    ("query", "state", "why"),
    [
        ({}, {"waiting": {"reason": "ErrImagePull"}}, "waiting to start: image can't be pulled"),
        ({}, {"waiting": {"reason": "ImagePullBackOff"}}, "waiting to start: trying and failing to pull image"),
        ({}, {"waiting": {"reason": "PodInitializing"}}, "waiting to start: PodInitializing"),
        ({}, {}, "waiting to start: ContainerCreating"),
        ({"previous": "true"}, RUNNING, 'previous terminated container "main" in pod "one" not found'),
    ],
)
def test_no_log(query: dict[str, str], state: dict[str, Any], why: str) -> None:
    """In the kubelet's words; the log of now is not taken for that before a restart that never was."""
    with pytest.raises(NoLogError, match=why):
        given_out(pod(state=state), "main", Wanted.of(query), START)
