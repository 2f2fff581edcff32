"""What a pod on paper would have printed, and what a kubelet gives out of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.kubernetes.pod_log import BETWEEN_LINES, LOG_VARIABLE, NoLogError, Wanted, given_out

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RUNNING = {"running": {"startedAt": "2026-01-02T03:04:05Z"}}


def pod(text: str | None = "a\nb", state: dict[str, Any] | None = None, **container: object) -> dict[str, Any]:
    """A pod of one container that prints *text*."""
    env = [] if text is None else [{"name": LOG_VARIABLE, "value": text}]
    spec = {"name": "main", "image": "image:1", "env": env, **container}
    status = {"name": "main", "state": RUNNING if state is None else state}
    return {"metadata": {"name": "one"}, "spec": {"containers": [spec]}, "status": {"containerStatuses": [status]}}


class TestLines:
    """What is printed."""

    def test_told_lines(self) -> None:
        """As they are."""
        assert given_out(pod("a\n\nb"), "main", Wanted(), START) == b"a\n\nb\n"

    @pytest.mark.parametrize(
        ("container", "line"),
        [({}, b"$ image:1"), ({"command": ["torchrun"], "args": ["train.py"]}, b"$ torchrun train.py")],
    )
    def test_what_would_run(self, container: dict[str, Any], line: bytes) -> None:
        """A newcomer sees that nothing is executed, and what would be."""
        lines = given_out(pod(None, **container), "main", Wanted(), START).splitlines()

        assert lines[:2] == [b"one runs on paper: nothing is executed.", line]
        assert lines[-1] == b"epoch 3 of 3: loss 0.333"

    def test_of_old_are_left_out(self) -> None:
        """By the time of each line."""
        later = START + BETWEEN_LINES + timedelta(seconds=9)

        assert given_out(pod(), "main", Wanted(since_seconds=9), later) == b"b\n"

    def test_with_their_times(self) -> None:
        """In nanoseconds."""
        log = given_out(pod(), "main", Wanted(tail_lines=1, timestamps=True), START)

        assert log == b"2026-01-02T03:04:05.010000000Z b\n"


class TestWanted:
    """What a query asks."""

    def test_everything(self) -> None:
        """By the API's names."""
        query = {"tailLines": "1", "sinceSeconds": "2", "limitBytes": "3", "previous": "true", "timestamps": "1"}

        assert Wanted.of(query) == Wanted(1, 2, 3, previous=True, timestamps=True)

    def test_nothing(self) -> None:
        """All of it."""
        assert Wanted.of({}) == Wanted()


class TestNone:
    """There is no log."""

    @pytest.mark.parametrize(
        ("state", "waits"),
        [
            ({"waiting": {"reason": "ErrImagePull"}}, "image can't be pulled"),
            ({"waiting": {"reason": "ImagePullBackOff"}}, "trying and failing to pull image"),
            ({"waiting": {"reason": "PodInitializing"}}, "PodInitializing"),
            ({}, "ContainerCreating"),
        ],
    )
    def test_yet(self, state: dict[str, Any], waits: str) -> None:
        """In the kubelet's words."""
        with pytest.raises(NoLogError, match=f'container "main" in pod "one" is waiting to start: {waits}'):
            given_out(pod(state=state), "main", Wanted(), START)

    def test_before_a_restart_that_never_was(self) -> None:
        """The other log is not taken for it."""
        with pytest.raises(NoLogError, match='previous terminated container "main" in pod "one" not found'):
            given_out(pod(), "main", Wanted(previous=True), START)
