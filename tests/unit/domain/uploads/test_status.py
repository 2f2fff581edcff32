"""Tests of the precedence of status objects."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.errors import CATALOGUE, JobBeingDeleted
from chalicelib.domain.uploads.status import FINAL, SEQUENCER, is_final, is_transient, may_overwrite_status
from tests.support.builders import upload


class TestPrecedence:
    """Tests of may_overwrite_status and is_final."""

    @pytest.mark.parametrize(
        ("ours", "existing", "expected"),
        [
            ("0055AED6DCD90281E5", "0055AED6DCD90281E4", True),
            ("0055AED6DCD90281E4", "0055AED6DCD90281E5", False),
            ("0055AED6DCD90281E501", "0055AED6DCD90281E5", True),
            ("0055AED6DCD90281E5", "0055AED6DCD90281E501", False),
            ("0055aed6", "0055AED6", True),
            ("1", "0F", True),
        ],
    )
    def test_newer_event_takes_precedence(self, ours: str, existing: str, expected: bool) -> None:
        """Events are compared by their sequencers, of which the shorter is padded with zeros on the right."""
        assert may_overwrite_status(upload(sequencer=ours), {SEQUENCER: existing}) is expected

    def test_final_status_is_not_overwritten(self) -> None:
        """Only a newer event overwrites a final status; an object without the metadata can always be overwritten."""
        existing = {SEQUENCER: upload().sequencer, FINAL: "true"}

        assert may_overwrite_status(upload(), {})
        assert not may_overwrite_status(upload(), existing)
        assert may_overwrite_status(upload(sequencer=f"{upload().sequencer}1"), existing)

    def test_final_status_of_the_same_event(self) -> None:
        """A status is final for an event only if it is marked as final and has the same sequencer."""
        own = {SEQUENCER: upload().sequencer}

        assert is_final(upload(), {**own, FINAL: "true"})
        assert not is_final(upload(), own)
        assert not is_final(upload(), {SEQUENCER: "00", FINAL: "true"})
        assert not is_final(upload(), {})


class TestIsTransient:
    """Tests of is_transient."""

    @pytest.mark.parametrize("error", CATALOGUE.values(), ids=lambda error: error.code)
    def test_server_errors_are_transient(self, error: type[Any]) -> None:
        """Statuses from 500 on are transient, and errors of the caller are not."""
        assert is_transient(error("x")) is (error.status >= 500)

    def test_error_with_retry_after_is_transient(self) -> None:
        """An error with Retry-After is transient, such as for a Job that is being deleted."""
        assert is_transient(JobBeingDeleted("x", retry_after=5))
