"""The local AWS: its start and its end. What it answers, the product's tests ask by boto3."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from infra.local.aws import LocalAws


class TestLife:
    """Start and close."""

    def test_taken_port_is_an_error_of_the_caller(self) -> None:
        """The caller explains it; before the start there is no URL."""
        with LocalAws() as aws, pytest.raises(OSError, match="in use"):
            LocalAws().start(urlsplit(aws.url).port or 0)
        with pytest.raises(RuntimeError, match="started"):
            _ = LocalAws().url

    def test_close_forgets_everything(self) -> None:
        """The next one starts empty."""
        for _ in range(2):
            with LocalAws() as aws:
                assert aws.create_role("stranger", "x1").endswith(":role/stranger")
