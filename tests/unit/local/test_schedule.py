"""A schedule on this machine."""

from __future__ import annotations

import threading

from infra.local.schedule import Schedule


def test_calls_again_and_again() -> None:
    """Until it is ended."""
    calls = threading.Semaphore(0)

    with Schedule(0.01, calls.release):
        assert all(calls.acquire(timeout=30) for _ in range(3))


def test_ends_at_once() -> None:
    """However long the pause; the first call comes after it."""
    calls: list[int] = []

    with Schedule(3600, lambda: calls.append(1)):
        pass

    assert calls == []
