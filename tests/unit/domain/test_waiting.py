"""What a caller waits for."""

from __future__ import annotations

from typing import get_args

import pytest

from chalicelib.domain.view import Status
from chalicelib.domain.waiting import has_come

ALL = set(get_args(Status))


class TestHasCome:
    """Whether a Job has come to it."""

    def test_to_its_end(self) -> None:
        """Well or badly."""
        assert {status for status in ALL if has_come("finished", status)} == {"Succeeded", "Failed"}

    def test_to_its_start(self) -> None:
        """Also where it has run already, failed without, or is being deleted: it would never come to it otherwise."""
        assert {status for status in ALL if has_come("running", status)} == {
            "Running",
            "Terminating",
            "Succeeded",
            "Failed",
        }

    @pytest.mark.parametrize("status", ["Pending", "Queued", "ContainerCreating", "Suspended", "Unknown"])
    def test_not_while_it_may_still_come(self, status: Status) -> None:
        """Waiting goes on."""
        assert not has_come("running", status)
