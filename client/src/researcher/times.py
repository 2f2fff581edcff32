"""Times for people: in the zone of the user, and how long ago."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from researcher.models import JobView

MINUTE, HOUR, DAY = 60, 3600, 86400


def local_time(milliseconds: int | None) -> str:
    """Return a time as `2026-11-28 14:05:09` in the zone of the user; empty if there is none."""
    if milliseconds is None:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def age(milliseconds: int | None, now: float | None = None) -> str:
    """Return how long ago a time was: `5s`, `12m`, `3h5m`, `4d2h`."""
    if milliseconds is None:
        return ""
    return span((time.time() if now is None else now) - milliseconds / 1000)


def duration(view: JobView, now: float | None = None) -> str:
    """Return how long a Job has run, or ran; empty if it has not started."""
    if view.started_at is None:
        return ""
    end = view.finished_at / 1000 if view.finished_at is not None else time.time() if now is None else now
    return span(end - view.started_at / 1000)


def span(seconds: float) -> str:
    """Return a number of seconds with its two largest units."""
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return f"{whole // MINUTE}m{whole % MINUTE}s" if whole < 10 * MINUTE else f"{whole // MINUTE}m"
    if whole < DAY:
        return f"{whole // HOUR}h{whole % HOUR // MINUTE}m"
    return f"{whole // DAY}d{whole % DAY // HOUR}h"
