"""The start and the end of the local AWS; the product tests cover its responses through boto3."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from infra.local.aws import LocalAws


class TestLife:
    """Start and close."""

    def test_port_in_use_raises_os_error(self) -> None:
        """A port in use raises OSError, and an instance that was not started has no URL."""
        with LocalAws() as aws, pytest.raises(OSError, match="in use"):
            LocalAws().start(urlsplit(aws.url).port or 0)
        with pytest.raises(RuntimeError, match="started"):
            _ = LocalAws().url

    def test_close_deletes_all_state(self) -> None:
        """After close, the next instance starts without roles."""
        for _ in range(2):
            with LocalAws() as aws:
                assert aws.create_role("other", "x1").endswith(":role/other")
