"""botocore clients, for the AWS services that need more than one signed request."""

from __future__ import annotations

from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserError

NO_RESPONSE = (BotoCoreError, ResponseParserError)
"""Errors of a call that got no response, or one that is not from AWS but from a proxy, for example."""


def client(service: str, region: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
    """Create a client of *service* in *region*. A call takes at most 8 s: two attempts, 1 s to connect, 3 s to read."""
    config = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 2, "mode": "standard"})
    return botocore.session.get_session().create_client(service, region_name=region, config=config)
