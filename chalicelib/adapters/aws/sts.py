"""AWS STS: AssumeRole, as one signed request. botocore's client for STS is 70 ms of a cold start."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec
from urllib3.exceptions import HTTPError

from chalicelib.adapters.aws.aws_failures import code_reason
from chalicelib.adapters.aws.sigv4 import Credentials, Signer
from chalicelib.adapters.http import bounded_body, kept_connections
from chalicelib.adapters.http.connection_failures import UNTRUSTED, failure_reason
from chalicelib.domain.errors import REPORT_TO_OPERATORS, CredentialsUnavailable
from chalicelib.domain.failure_reasons import FailureReason, note_reason
from chalicelib.settings import own_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from urllib3 import BaseHTTPResponse, PoolManager

    from chalicelib.deadline import Deadline

ATTEMPTS = 2
CONNECT_SECONDS = 1.0
READ_SECONDS = 3.0
MAX_RESPONSE = 2**16
RETRY_AFTER = 5
VERSION = "2011-06-15"

_OK, _SERVER_ERROR = 200, 500
_LEAF = re.compile(r"<(\w+)>([^<]*)</\1>")
_DENIED = f"AWS does not let this API assume the cluster's role. {REPORT_TO_OPERATORS}"
_UNTRUSTED = f"The TLS certificate of AWS STS cannot be verified. {REPORT_TO_OPERATORS}"
_THROTTLING = "AWS STS throttles this API. Try again later."
_UNREACHABLE = "AWS STS cannot be reached to assume the cluster's role. Try again later."


class Session(msgspec.Struct, frozen=True):
    """A session of a role, and its expiration in seconds since 1970."""

    credentials: Credentials
    ends: float


class Sts:
    """The STS *endpoint* of one *region*."""

    def __init__(self, region: str, endpoint: str, pool: PoolManager, clock: Callable[[], float] = time.time) -> None:
        self._region = region
        self._clock = clock
        self._endpoint = endpoint
        self._pool = pool

    def assume_role(self, parameters: Mapping[str, str], deadline: Deadline) -> Session:
        """Return a session for the *parameters* of AssumeRole; CredentialsUnavailable if there is none."""
        body = urlencode({"Action": "AssumeRole", "Version": VERSION, **parameters}).encode()
        reasons: list[str] = []
        for _ in range(ATTEMPTS):
            try:
                status, response = self._send(body, deadline)
            except (HTTPError, OSError) as error:
                reasons.append(failure_reason(error))
                if reasons[-1] in UNTRUSTED:
                    break
                continue
            if status == _OK:
                return _session(response)
            reasons.append(code_reason(_leaves(response).get("Code", ""), status))
            if status < _SERVER_ERROR:
                raise _rejected(reasons[-1])
        raise _unreachable(reasons[-1])

    def _send(self, body: bytes, deadline: Deadline) -> tuple[int, bytes]:
        """Return status and body of the response; HTTPError or OSError if there is none before *deadline*."""
        form = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        headers = Signer(own_credentials(), self._region, self._clock()).headers(self._endpoint, form, body)

        def post() -> BaseHTTPResponse:
            return self._pool.request(
                "POST", self._endpoint, body=body, headers=headers,
                timeout=kept_connections.time_left(deadline, CONNECT_SECONDS, READ_SECONDS),
                retries=False, redirect=False, preload_content=False,
            )  # fmt: skip

        # AssumeRole may be repeated: it only makes another session.
        response = kept_connections.send(post, self._pool).response
        return response.status, bounded_body.read(response, deadline, MAX_RESPONSE)


def _unreachable(reason: str) -> CredentialsUnavailable:
    """Return the error after the last attempt; *reason* is logged. A certificate error cannot be retried."""
    if reason in UNTRUSTED:
        return _error(_UNTRUSTED, reason)
    return _error(_UNREACHABLE, reason, RETRY_AFTER)


def _error(detail: str, reason: str, retry_after: int | None = None) -> CredentialsUnavailable:
    return note_reason(CredentialsUnavailable(detail, retry_after=retry_after), reason, "sts")


def own_credentials() -> Credentials:
    """Return this function's credentials, from the environment or, after a restore by SnapStart, from the endpoint."""
    keys = own_keys()
    return Credentials(*keys) if keys else _container_credentials()


def _container_credentials() -> Credentials:
    # Imported here, because only SnapStart needs it and other cold starts should not pay for it.
    from botocore.credentials import ContainerProvider  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    try:
        credentials = ContainerProvider().load()
    except BotoCoreError as error:
        raise _error(_UNREACHABLE, FailureReason.NO_CREDENTIALS, RETRY_AFTER) from error
    if credentials is None:
        raise _error(f"This API has no AWS credentials. {REPORT_TO_OPERATORS}", FailureReason.NO_CREDENTIALS)
    keys = credentials.get_frozen_credentials()
    return Credentials(keys.access_key or "", keys.secret_key or "", keys.token or "")


def _session(response: bytes) -> Session:
    fields = _leaves(response)
    try:
        ends = datetime.fromisoformat(fields["Expiration"]).timestamp()
        return Session(Credentials(fields["AccessKeyId"], fields["SecretAccessKey"], fields["SessionToken"]), ends)
    except (KeyError, ValueError) as error:
        # A proxy between this function and STS may respond with 200 and any body, such as a login page.
        raise _unreachable(FailureReason.INVALID_RESPONSE) from error


def _rejected(reason: str) -> CredentialsUnavailable:
    if reason == FailureReason.THROTTLED:
        return _error(_THROTTLING, reason, RETRY_AFTER)
    return _error(_DENIED, reason)


def _leaves(response: bytes) -> dict[str, str]:
    """Return the text of the innermost XML elements; the ones read here have no character that XML escapes."""
    return dict(_LEAF.findall(response.decode("utf-8", "replace")))
