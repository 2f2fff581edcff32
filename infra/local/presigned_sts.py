"""Presigned GetCallerIdentity, verified as STS does: what an EKS token is made of.

moto sends such a request to S3, which answers 200 to whatever it is. Here the signature is computed again, with
the secret that moto gave out for the session, by SigV4's own rules and not by the code that signed:
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
"""How far X-Amz-Date may be from now; STS does not look at X-Amz-Expires."""

_EMPTY_SHA256 = hashlib.sha256().hexdigest()
_HOST = re.compile(r"sts(?:\.([a-z0-9-]+))?\.amazonaws\.com")


class Session(Protocol):
    """The credentials of an assumed role, and who has them."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expiration: datetime
    account_id: str

    @property
    def arn(self) -> str:
        """The session's own ARN."""

    @property
    def user_id(self) -> str:
        """The role's id and the session's name."""


class StsRefusal(Exception):
    """STS does not take the request; *code* is one of its own."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Scope:
    """A credential scope: which key signs, for which day, region and service."""

    access_key_id: str
    day: str
    region: str
    service: str

    @classmethod
    def parse(cls, credential: str) -> Scope:
        """The scope in X-Amz-Credential."""
        parts = credential.split("/")
        if len(parts) != 5 or parts[4] != "aws4_request":  # noqa: PLR2004 - the form is fixed
            raise StsRefusal("IncompleteSignature", "X-Amz-Credential is not of the form of SigV4.")
        return cls(*parts[:4])

    def __str__(self) -> str:
        """The scope as it is signed."""
        return f"{self.day}/{self.region}/{self.service}/aws4_request"


def is_presigned_identity_request(query: str) -> bool:
    """Whether *query* is that of a presigned GetCallerIdentity."""
    names = dict(parse_qsl(query, keep_blank_values=True))
    return names.get("Action") == "GetCallerIdentity" and "X-Amz-Signature" in names


def verified_session(
    query: str,
    headers: Mapping[str, str],
    session_of: Callable[[str], Session | None],
    now: datetime,
) -> Session:
    """Who signed *query*; *headers* have lower-case names, *session_of* finds a session by its access key."""
    pairs = parse_qsl(query, keep_blank_values=True)
    given = dict(pairs)
    if len(given) != len(pairs) or given.get("X-Amz-Algorithm") != ALGORITHM:
        raise StsRefusal("IncompleteSignature", "The query is not that of a presigned request.")
    scope = Scope.parse(given.get("X-Amz-Credential", ""))
    _check_scope(scope, given, headers.get("host", ""), now)
    session = session_of(scope.access_key_id)
    if session is None or session.session_token != given.get("X-Amz-Security-Token"):
        raise StsRefusal("InvalidClientTokenId", "The security token included in the request is invalid.")
    expected = signature(session.secret_access_key, scope, pairs, headers)
    if not hmac.compare_digest(expected.encode(), given["X-Amz-Signature"].encode()):
        raise StsRefusal("SignatureDoesNotMatch", "The signature is not the one that was computed here.")
    if now >= _aware(session.expiration):
        raise StsRefusal("ExpiredToken", "The security token included in the request is expired.")
    return session


def signature(
    secret: str, scope: Scope, pairs: list[tuple[str, str]], headers: Mapping[str, str], method: str = "GET"
) -> str:
    """The SigV4 signature of a request for `/` without a body, whose query is *pairs*."""
    query = sorted((_encoded(name), _encoded(value)) for name, value in pairs if name != "X-Amz-Signature")
    given = dict(pairs)
    signed = given.get("X-Amz-SignedHeaders", "")
    lines = [f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in signed.split(";")]
    flat = "&".join(f"{name}={value}" for name, value in query)
    canonical = "\n".join([method, "/", flat, "".join(lines), signed, _EMPTY_SHA256])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join([ALGORITHM, given.get("X-Amz-Date", ""), str(scope), digest])
    return hmac.new(signing_key(secret, scope), text.encode(), hashlib.sha256).hexdigest()


def signing_key(secret: str, scope: Scope) -> bytes:
    """The key that SigV4 derives from *secret* for *scope*."""
    key = f"AWS4{secret}".encode()
    for part in (scope.day, scope.region, scope.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _check_scope(scope: Scope, given: Mapping[str, str], host: str, now: datetime) -> None:
    """The date is now, and the scope that of this very endpoint: a region's host takes its own region only."""
    region = _HOST.fullmatch(host)
    if scope.service != "sts" or region is None or (region[1] or "us-east-1") != scope.region:
        raise StsRefusal("SignatureDoesNotMatch", "Credential should be scoped to this service and region.")
    if "host" not in given.get("X-Amz-SignedHeaders", "").split(";"):
        raise StsRefusal("SignatureDoesNotMatch", "The header host is not signed.")
    try:
        when = datetime.strptime(given.get("X-Amz-Date", ""), DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise StsRefusal("IncompleteSignature", "X-Amz-Date is not a date.") from error
    if not given["X-Amz-Date"].startswith(scope.day) or abs(now - when) > VALIDITY:
        raise StsRefusal("SignatureDoesNotMatch", "Signature expired, or not yet current.")


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # moto's are naive, and UTC
