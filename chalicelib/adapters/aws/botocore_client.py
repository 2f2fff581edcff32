"""botocore clients, for the AWS services that need more than one signed request."""

from __future__ import annotations

import time
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.parsers import ResponseParserError

from chalicelib.adapters.aws.aws_failures import code_reason
from chalicelib.adapters.http.connection_failures import failure_reason
from chalicelib.adapters.http.kept_connections import IDLE_SECONDS
from chalicelib.domain.failure_reasons import FailureReason

_SECOND_ATTEMPT = "attempt=2"
NO_RESPONSE = (BotoCoreError, ResponseParserError)
"""Errors of a call that got no response, or one that is not from AWS but from a proxy, for example."""


def client(service: str, region: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
    """Create a client of *service* in *region*. A call takes at most 8 s: two attempts, 1 s to connect, 3 s to read."""
    config = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 2, "mode": "standard"})
    made: Any = botocore.session.get_session().create_client(service, region_name=region, config=config)
    made.meta.events.register("before-send", _IdleConnections(made).close_if_dead)
    return made


class _IdleConnections:
    """The idle connections of *client*, which may have died while Lambda froze the process (`kept_connections`).

    They are closed after IDLE_SECONDS without a request, and before the second attempt of one, which could otherwise
    take another dead connection.
    """

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - as above
        self._client = client
        self._used_at = time.time()

    def close_if_dead(self, request: Any, **_: object) -> None:  # noqa: ANN401 - botocore's event
        """Close them if *request*, which is about to be sent, should not use one."""
        idle = abs(time.time() - self._used_at)
        self._used_at = time.time()
        if idle >= IDLE_SECONDS or _SECOND_ATTEMPT in str(request.headers.get("amz-sdk-request")):
            self._client.close()


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
