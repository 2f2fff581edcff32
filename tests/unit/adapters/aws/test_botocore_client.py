"""How long a client of AWS takes at most."""

from __future__ import annotations

from chalicelib.adapters.aws.botocore_client import client


class TestClient:
    """A client of any service."""

    def test_tries_twice_and_not_for_long(self) -> None:
        """A request that looks for a Receipt has no more left after its own deadline."""
        config = client("s3", "eu-west-1").meta.config

        assert (config.connect_timeout, config.read_timeout) == (1, 3)
        assert config.retries == {"total_max_attempts": 2, "mode": "standard"}
