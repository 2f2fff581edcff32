"""The local schedule."""

from __future__ import annotations

import threading

from infra.local.schedule import Schedule


def test_action_is_called_repeatedly() -> None:
    """The action is called repeatedly."""
    calls = threading.Semaphore(0)

    with Schedule(0.01, calls.release):
        assert all(calls.acquire(timeout=30) for _ in range(3))


def test_stops_at_once() -> None:
    """Stopping does not wait for the interval, and the first call comes after it."""
    calls: list[int] = []

    with Schedule(3600, lambda: calls.append(1)):
        pass

    assert calls == []
