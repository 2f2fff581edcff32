"""Verification of presigned GetCallerIdentity requests, as STS does it: an EKS token is such a request.

moto routes these requests to S3, which returns 200 for any of them. This module computes the signature again, with the
secret that moto issued for the session, by the rules of SigV4 and not by the code that signed the request:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ALGORITHM = "AWS4-HMAC-SHA256"
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
VALIDITY = timedelta(minutes=15)
"""The allowed difference between X-Amz-Date and now; STS ignores X-Amz-Expires."""

_EMPTY_SHA256 = hashlib.sha256().hexdigest()
_HOST = re.compile(r"sts(?:\.([a-z0-9-]+))?\.amazonaws\.com")


class Session(Protocol):
    """The credentials of an assumed role, and its identity."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expiration: datetime
    account_id: str

    @property
    def arn(self) -> str:
        """The ARN of the session."""

    @property
    def user_id(self) -> str:
        """The role ID and the session name."""


class StsError(Exception):
    """An error of STS; *code* is one of its error codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Scope:
    """A credential scope: access key, day, region and service."""

    access_key_id: str
    day: str
    region: str
    service: str

    @classmethod
    def parse(cls, credential: str) -> Scope:
        """Parse X-Amz-Credential; raise StsError if it is malformed."""
        parts = credential.split("/")
        if len(parts) != 5 or parts[4] != "aws4_request":  # noqa: PLR2004 - the format of SigV4 has five parts
            raise StsError("IncompleteSignature", "X-Amz-Credential must have the format of SigV4.")
        return cls(*parts[:4])

    def __str__(self) -> str:
        """Return the scope as it is signed."""
        return f"{self.day}/{self.region}/{self.service}/aws4_request"


def is_presigned_identity_request(query: str) -> bool:
    """Return whether *query* is that of a presigned GetCallerIdentity."""
    names = dict(parse_qsl(query, keep_blank_values=True))
    return names.get("Action") == "GetCallerIdentity" and "X-Amz-Signature" in names


def verify_session(
    query: str,
    headers: Mapping[str, str],
    session_of: Callable[[str], Session | None],
    now: datetime,
) -> Session:
    """Return the session that signed *query*.

    Args: *headers* have lower-case names; *session_of* finds a session by its access key.

    Raises: StsError: the signature, its scope or the session is invalid.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    parameters = dict(pairs)
    if len(parameters) != len(pairs) or parameters.get("X-Amz-Algorithm") != ALGORITHM:
        raise StsError("IncompleteSignature", "The query is not a valid presigned request.")
    scope = Scope.parse(parameters.get("X-Amz-Credential", ""))
    _check_scope(scope, parameters, headers.get("host", ""), now)
    session = session_of(scope.access_key_id)
    if session is None or session.session_token != parameters.get("X-Amz-Security-Token"):
        raise StsError("InvalidClientTokenId", "The security token included in the request is invalid.")
    expected = signature(session.secret_access_key, scope, pairs, headers)
    if not hmac.compare_digest(expected.encode(), parameters["X-Amz-Signature"].encode()):
        raise StsError("SignatureDoesNotMatch", "The signature does not match the one calculated by this server.")
    if now >= _aware(session.expiration):
        raise StsError("ExpiredToken", "The security token included in the request is expired.")
    return session


def signature(
    secret: str, scope: Scope, pairs: list[tuple[str, str]], headers: Mapping[str, str], method: str = "GET"
) -> str:
    """Return the SigV4 signature of a request for `/` without a body, whose query is *pairs*."""
    query = sorted(
        (_percent_encode(name), _percent_encode(value)) for name, value in pairs if name != "X-Amz-Signature"
    )
    parameters = dict(pairs)
    signed = parameters.get("X-Amz-SignedHeaders", "")
    lines = [f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in signed.split(";")]
    flat = "&".join(f"{name}={value}" for name, value in query)
    canonical = "\n".join([method, "/", flat, "".join(lines), signed, _EMPTY_SHA256])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join([ALGORITHM, parameters.get("X-Amz-Date", ""), str(scope), digest])
    return hmac.new(signing_key(secret, scope), text.encode(), hashlib.sha256).hexdigest()


def signing_key(secret: str, scope: Scope) -> bytes:
    """Return the key that SigV4 derives from *secret* for *scope*."""
    key = f"AWS4{secret}".encode()
    for part in (scope.day, scope.region, scope.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _check_scope(scope: Scope, parameters: Mapping[str, str], host: str, now: datetime) -> None:
    """Check the date, and that the scope is that of this endpoint: a regional host accepts only its own region."""
    region = _HOST.fullmatch(host)
    if scope.service != "sts" or region is None or (region[1] or "us-east-1") != scope.region:
        raise StsError("SignatureDoesNotMatch", "Credential should be scoped to this service and region.")
    if "host" not in parameters.get("X-Amz-SignedHeaders", "").split(";"):
        raise StsError("SignatureDoesNotMatch", "The header host is not signed.")
    try:
        signed_at = datetime.strptime(parameters.get("X-Amz-Date", ""), DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise StsError("IncompleteSignature", "X-Amz-Date is not a valid date.") from error
    if not parameters["X-Amz-Date"].startswith(scope.day) or abs(now - signed_at) > VALIDITY:
        raise StsError("SignatureDoesNotMatch", "Signature expired, or not yet current.")


def _percent_encode(text: str) -> str:
    return quote(text, safe="-_.~")


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # moto's times have no time zone and are in UTC
