"""Tests of the causes in messages; cases.jsonl has more of them, with their sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.diagnosis.messages import (
    configuration_cause,
    creation_cause,
    is_larger_than_nodes,
    mount_cause,
    registry_cause,
    scheduler_cause,
    start_cause,
)

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = [
    "401",
    "403",
    "404",
    "429",
    "500",
    "denied",
    "unauthorized",
    "not-found",
    "timeout",
    "forbidden",
    "x509",
    "eof",
]
NAMES = st.sampled_from(WORDS)
IMAGES = st.builds("{}.example.com/{}/{}:{}".format, NAMES, NAMES, NAMES, NAMES)
PULLS = [
    ("ImageNotFound", 'failed to resolve reference "{0}": {0}: not found'),
    ("ImageUnauthorized", 'failed to resolve reference "{0}": pulling from host {0} failed: 401 Unauthorized'),
    ("ImageUnavailable", 'failed to copy "{0}": dial tcp 10.0.0.1:443: i/o timeout'),
    (None, 'failed to pull "{0}'),
    (None, ""),
]


class TestRegistryCause:
    """Tests of registry_cause."""

    @given(st.sampled_from(PULLS), IMAGES)
    def test_names_decide_nothing(self, pull: tuple[str | None, str], image: str) -> None:
        """Whatever the names of an image are, the words of the registry decide."""
        cause, message = pull

        assert registry_cause(message.format(image)) == cause


class TestIsLargerThanNodes:
    """Tests of is_larger_than_nodes."""

    @pytest.mark.parametrize(
        ("after", "expected"),
        [
            ("preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.", True),
            ("preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.", False),
            ("", False),
        ],
    )
    def test_preemption_cannot_help(self, after: str, expected: bool) -> None:
        """The scheduler says that preemption is not helpful where a node is too small even without other pods."""
        message = f"0/2 nodes are available: 2 Insufficient nvidia.com/gpu. {after}"

        assert is_larger_than_nodes(message) is expected


class TestWithoutKnownWords:
    """Tests of messages that contain no known words."""

    @pytest.mark.parametrize(
        ("function", "cause"),
        [
            (scheduler_cause, "Unknown"),
            (creation_cause, "Unknown"),
            (start_cause, "CannotStart"),
            (configuration_cause, "CannotStart"),
            (mount_cause, "VolumeUnavailable"),
        ],
    )
    def test_default(self, function: Callable[[str], str], cause: str) -> None:
        """The default is what the reason of the pod or of the event says."""
        assert function('something new about "exceeded quota"') == cause
