"""The time-outs and retries of botocore clients."""

from __future__ import annotations

from chalicelib.adapters.aws.botocore_client import client


class TestClient:
    """A client of any service."""

    def test_has_short_timeouts_and_one_retry(self) -> None:
        """A call takes at most 8 s, which is what a request that reads a Receipt has left after its deadline."""
        config = client("s3", "eu-west-1").meta.config

        assert (config.connect_timeout, config.read_timeout) == (1, 3)
        assert config.retries == {"total_max_attempts": 2, "mode": "standard"}
