"""botocore clients, for the AWS services that need more than one signed request."""

from __future__ import annotations

from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.parsers import ResponseParserError

from chalicelib.adapters.aws.aws_failures import code_reason
from chalicelib.adapters.http.connection_failures import failure_reason
from chalicelib.domain.failure_reasons import FailureReason

NO_RESPONSE = (BotoCoreError, ResponseParserError)
"""Errors of a call that got no response, or one that is not from AWS but from a proxy, for example."""


def client(service: str, region: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
    """Create a client of *service* in *region*. A call takes at most 8 s: two attempts, 1 s to connect, 3 s to read."""
    config = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 2, "mode": "standard"})
    return botocore.session.get_session().create_client(service, region_name=region, config=config)


def call_failure_reason(error: Exception) -> str:
    """Return the reason why a call of a botocore client raised *error*."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code_reason(error.response.get("Error", {}).get("Code", ""), status)
    if isinstance(error, NoCredentialsError):
        return FailureReason.NO_CREDENTIALS
    cause = getattr(error, "kwargs", {}).get("error")  # of urllib3 or a socket
    if isinstance(cause, Exception) or isinstance(error, OSError):
        return failure_reason(cause or error)
    return FailureReason.CONNECTION_FAILED if isinstance(error, BotoCoreError) else FailureReason.INVALID_RESPONSE
