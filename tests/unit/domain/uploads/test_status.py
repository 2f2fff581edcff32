"""Which status object of an upload may overwrite which."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.errors import CATALOGUE, JobBeingDeleted
from chalicelib.domain.uploads.status import FINAL, SEQUENCER, is_final, is_transient, may_overwrite_status
from tests.support.builders import upload


class TestStatus:
    """Which of two statuses stays."""

    @pytest.mark.parametrize(
        ("ours", "known", "may"),
        [
            ("0055AED6DCD90281E5", "0055AED6DCD90281E4", True),
            ("0055AED6DCD90281E4", "0055AED6DCD90281E5", False),
            ("0055AED6DCD90281E501", "0055AED6DCD90281E5", True),
            ("0055AED6DCD90281E5", "0055AED6DCD90281E501", False),
            ("0055aed6", "0055AED6", True),
            ("1", "0F", True),
        ],
    )
    def test_newer_event_has_the_word(self, ours: str, known: str, may: bool) -> None:
        """By S3's sequencers, of which the shorter is filled up with zeros."""
        assert may_overwrite_status(upload(sequencer=ours), {SEQUENCER: known}) is may

    def test_last_word_stays(self) -> None:
        """A late delivery does not unsay that the Job was made; an object without our metadata says nothing."""
        known = {SEQUENCER: upload().sequencer, FINAL: "true"}

        assert may_overwrite_status(upload(), {})
        assert not may_overwrite_status(upload(), known)
        assert may_overwrite_status(upload(sequencer=f"{upload().sequencer}1"), known)

    def test_settled_is_said_of_one_event(self) -> None:
        """Of this one, and as its last word."""
        own = {SEQUENCER: upload().sequencer}

        assert is_final(upload(), {**own, FINAL: "true"})
        assert not is_final(upload(), own)
        assert not is_final(upload(), {SEQUENCER: "00", FINAL: "true"})
        assert not is_final(upload(), {})


class TestIsTransient:
    """What another try may mend."""

    @pytest.mark.parametrize("error", CATALOGUE.values(), ids=lambda error: error.code)
    def test_is_what_is_ours(self, error: type[Any]) -> None:
        """The statuses from 500 on; a caller's mistake stays one."""
        assert is_transient(error("x")) is (error.status >= 500)

    def test_is_what_says_when_to_come_back(self) -> None:
        """A Job of that name is on its way out."""
        assert is_transient(JobBeingDeleted("x", retry_after=5))
