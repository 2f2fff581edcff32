"""What a caller waits for, and whether a Job has come to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from chalicelib.domain.job.view import Status

Until = Literal["running", "finished"]

OVER = frozenset({"Succeeded", "Failed"})
STARTED = OVER | {"Running", "Terminating"}
"""A Job that ended has run, or never will: nobody waits longer for it to run."""


def has_come(until: Until, status: Status) -> bool:
    """Whether a Job in *status* is *until* where a caller waits for it to be."""
    return status in (OVER if until == "finished" else STARTED)
