"""Tests of volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.manifest.volumes import mounts, volumes
from tests.support.builders import submission

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Manifest


class TestVolumes:
    """Tests of volumes and mounts."""

    @pytest.mark.parametrize(
        ("fields", "volume"),
        [
            ({}, {"medium": "Memory", "sizeLimit": "16Gi"}),
            ({"memory": "1K"}, {"medium": "Memory", "sizeLimit": "1k"}),
            ({"memory": "1Gi", "memoryLimit": "2Gi"}, {"medium": "Memory", "sizeLimit": "2Gi"}),
        ],
    )
    def test_shared_memory_is_limited(self, fields: dict[str, object], volume: Manifest) -> None:
        """Shared memory is only mounted on request, and its size limit is the memory limit of the pod."""
        assert (volumes(submission(**fields)), mounts(submission(**fields))) == ([], [])
        assert volumes(submission(largeShm=True, **fields)) == [{"name": "shared-memory", "emptyDir": volume}]
