"""The volumes of a Job's pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.manifest.volumes import mounts, volumes
from tests.support.builders import submission

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Manifest


class TestVolumes:
    """What each volume is, and where it is mounted."""

    @pytest.mark.parametrize(
        ("fields", "volume"),
        [
            ({}, {"medium": "Memory", "sizeLimit": "16Gi"}),
            ({"memory": "1K"}, {"medium": "Memory", "sizeLimit": "1k"}),
            ({"memory": "1Gi", "memoryLimit": "2Gi"}, {"medium": "Memory", "sizeLimit": "2Gi"}),
        ],
    )
    def test_shared_memory_is_bounded_by_the_jobs(self, fields: dict[str, object], volume: Manifest) -> None:
        """It counts as the pod's memory, so it cannot be more, and never has no bound; nothing is mounted unasked."""
        assert (volumes(submission(**fields)), mounts(submission(**fields))) == ([], [])
        asked = submission(largeShm=True, **fields)

        assert volumes(asked) == [{"name": "shared-memory", "emptyDir": volume}]
