"""Variables that give devices."""

from __future__ import annotations

import pytest

from chalicelib.domain.submission.device_variables import DEVICE_VARIABLES, NO_DEVICES, injects_devices


class TestGivesDevices:
    """Whether a runtime may give devices because of a variable."""

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
        """As the runtime compares it."""
        assert injects_devices(variable) is expected

    def test_what_we_set_is_the_users_no_more(self) -> None:
        """A user's value would stand beside ours."""
        assert set(NO_DEVICES) <= set(DEVICE_VARIABLES)
