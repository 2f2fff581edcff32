"""Tests of variables that inject devices."""

from __future__ import annotations

import pytest

from chalicelib.domain.submission.device_variables import DEVICE_VARIABLES, NO_DEVICES, injects_devices


class TestInjectsDevices:
    """Tests of injects_devices."""

    @pytest.mark.parametrize(
        ("variable", "expected"),
        [
            ("NVIDIA_VISIBLE_DEVICES", True),
            ("HABANA_VISIBLE_DEVICES2", True),
            ("DOCKER_RESOURCE_NVIDIA-GPU", True),
            ("NVIDIA_VISIBLE_DEVICES2", False),
            ("CUDA_VISIBLE_DEVICES", False),
        ],
    )
    def test_by_name_or_prefix(self, variable: str, expected: bool) -> None:
        """Names are compared exactly, except those that are prefixes."""
        assert injects_devices(variable) is expected

    def test_own_variables_are_reserved(self) -> None:
        """Users cannot set a variable that the API sets."""
        assert set(NO_DEVICES) <= set(DEVICE_VARIABLES)
