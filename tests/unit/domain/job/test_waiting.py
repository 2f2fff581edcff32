"""What a caller waits for."""

from __future__ import annotations

from typing import get_args

from chalicelib.domain.job.view import Status
from chalicelib.domain.job.waiting import has_come

ALL = set(get_args(Status))


class TestHasCome:
    """Whether a Job has come to it."""

    def test_to_its_end(self) -> None:
        """Well or badly."""
        assert {status for status in ALL if has_come("finished", status)} == {"Succeeded", "Failed"}

    def test_to_its_start(self) -> None:
        """Also where it has run already, failed without, or is being deleted: it would never come to it otherwise."""
        expected = {"Running", "Terminating", "Succeeded", "Failed"}
        assert {status for status in ALL if has_come("running", status)} == expected
