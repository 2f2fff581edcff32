"""One line on a terminal that shows where a Job is; nothing where stderr is not a terminal."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING

from researcher.cli.output import plain
from researcher.times import span

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from researcher.job import Job

CLEAR = "\r\x1b[K"
ENDED = {"Succeeded", "Failed"}


class Progress:
    """A context manager: the line is removed at its end."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begin = clock()
        self._is_live = sys.stderr.isatty()
        self._shown = False

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the line."""
        self.clear()

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._begin

    def show(self, job: Job) -> None:
        """Replace the line."""
        if self._is_live:
            pods = job.view.pods
            parts = [
                job.name,
                job.status,
                job.reason or "",
                f"{pods.ready} of {pods.active} pods ready" if pods.active else "",
            ]
            line = "  ".join(filter(None, (*(plain(part) for part in parts), span(self.elapsed))))
            width = shutil.get_terminal_size().columns
            sys.stderr.write(f"{CLEAR}{line[: width - 1]}")
            sys.stderr.flush()
            self._shown = True

    def clear(self) -> None:
        """Remove the line."""
        if self._shown:
            sys.stderr.write(CLEAR)
            sys.stderr.flush()
            self._shown = False
