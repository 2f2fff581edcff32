"""botocore's clients of AWS services, where one signed request would not do."""

from __future__ import annotations

from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserError

NO_ANSWER = (BotoCoreError, ResponseParserError)
"""What any call may raise that gets no answer, or one that is no service's: what stands in its way may say anything."""


def client(service: str, region: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
    """A client of *service* in *region*, for each of whose calls 8 s are enough: two tries of 1 s and 3 s."""
    config = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 2, "mode": "standard"})
    return botocore.session.get_session().create_client(service, region_name=region, config=config)
