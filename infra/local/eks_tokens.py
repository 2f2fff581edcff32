"""EKS tokens reviewed by the rules of aws-iam-authenticator, which EKS runs beside each API server.

A token is a presigned GetCallerIdentity: who can hold one is asked of STS, and STS checks the signature. The
cluster's name is a signed header that the reviewer adds itself, so a token for another cluster has the wrong one.
https://github.com/kubernetes-sigs/aws-iam-authenticator/blob/master/pkg/token/token.go
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from chalicelib.adapters.kubernetes.ttl_cache import TtlCache
from infra.localcluster.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from urllib.parse import SplitResult

PREFIX = "k8s-aws-v1."
CLUSTER_HEADER = "x-k8s-aws-id"
MAX_TOKEN = 4096
MAX_EXPIRES = 900
VALIDITY = timedelta(minutes=15)
CLOCK_SKEW = timedelta(minutes=5)
CACHED_SECONDS = 120.0
"""As long as EKS's API server believes its webhook."""

_HOST = re.compile(r"sts(?:\.[a-z0-9-]+)?\.amazonaws\.com")
_ASSUMED_ROLE = re.compile(r"arn:(aws[\w-]*):sts::([0-9]{12}):assumed-role/([^/]+)/(.+)")
_SIGNING = {"algorithm", "credential", "date", "expires", "security-token", "signature", "signedheaders"}
_KEYS = {"action", "version", *(f"x-amz-{name}" for name in _SIGNING)}


@dataclass(frozen=True)
class AccessEntry:
    """What a role is on the cluster; `{{SessionName}}` in *username* becomes the session's name."""

    username: str
    groups: tuple[str, ...]


class EksTokenReviewer:
    """Tells whose token it is, for the cluster *cluster_name*; *entries* are by the role's ARN."""

    def __init__(
        self,
        cluster_name: str,
        sts_url: str,
        entries: Mapping[str, AccessEntry],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._cluster_name = cluster_name
        self._sts = urlsplit(sts_url).netloc
        self._entries = entries
        self._clock = clock
        self._verdicts: TtlCache[bytes, Identity] = TtlCache(CACHED_SECONDS, clock)

    def __call__(self, token: str) -> Identity:
        """Who has *token*; PermissionError when it is refused. A yes is remembered for two minutes, a no never."""
        key = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        return self._verdicts.get_or_load(
            key, lambda: self._identity(token, datetime.fromtimestamp(self._clock(), UTC))
        )

    def _identity(self, token: str, now: datetime) -> Identity:
        host, query = checked_url(token, now)
        arn = self._caller(host, query)
        role, session = canonical_role(arn)
        entry = self._entries.get(role)
        if entry is None:
            raise PermissionError(f"no access entry for {role}")
        username = entry.username.replace("{{SessionName}}", session.replace("@", "-"))
        extra = {"arn": (arn,), "canonicalArn": (role,), "sessionName": (session,)}
        return Identity(user=username, groups=entry.groups, extra=extra)

    def _caller(self, host: str, query: str) -> str:
        """The ARN that STS knows the token's signer by."""
        headers = {"Host": host, CLUSTER_HEADER: self._cluster_name, "Accept": "application/json"}
        connection = http.client.HTTPConnection(self._sts, timeout=10)
        try:
            connection.request("GET", f"/?{query}", headers=headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise PermissionError("STS cannot be asked") from error
        finally:
            connection.close()
        _require(answer.status == http.HTTPStatus.OK, f"STS answered {answer.status}")
        return str(json.loads(body)["GetCallerIdentityResponse"]["GetCallerIdentityResult"]["Arn"])


def checked_url(token: str, now: datetime) -> tuple[str, str]:
    """Host and query of the URL in *token*; PermissionError if it breaks a rule that needs no STS."""
    _require(len(token) <= MAX_TOKEN, "the token is too large")
    _require(token.startswith(PREFIX), f"the token does not start with {PREFIX}")
    url = _decoded(token.removeprefix(PREFIX))
    _require(url.scheme == "https", "the URL's scheme is not https")
    _require(_HOST.fullmatch(url.netloc) is not None, "the URL's host is not STS")
    _require(url.path == "/" and not url.fragment, "the URL's path is not /")
    _check_query(_lower_case_query(url.query), now)
    return url.netloc, url.query


def canonical_role(arn: str) -> tuple[str, str]:
    """The role's ARN and the session's name, of the *arn* of an assumed role."""
    parts = _ASSUMED_ROLE.fullmatch(arn)
    if parts is None:
        return arn, ""
    partition, account, role, session = parts.groups()
    return f"arn:{partition}:iam::{account}:role/{role}", session


def _decoded(encoded: str) -> SplitResult:
    # Python's decoder skips what is not of the alphabet, and takes padding.
    _require(re.fullmatch("[A-Za-z0-9_-]+", encoded) is not None, "the token is not unpadded base64url")
    try:
        url = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode("ascii")
        parts = urlsplit(url)
    except ValueError as error:
        raise PermissionError("the token is not base64url of a URL") from error
    _require(re.fullmatch("[!-~]+", url) is not None, "the token is not base64url of a URL")
    return parts


def _lower_case_query(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        key = name.lower()
        _require(key in _KEYS, f"the query parameter {key} is not allowed")
        _require(key not in found, f"the query parameter {key} is there twice")
        found[key] = value
    return found


def _check_query(query: Mapping[str, str], now: datetime) -> None:
    _require(query.get("action") == "GetCallerIdentity", "the action is not GetCallerIdentity")
    signed = query.get("x-amz-signedheaders", "").split(";")
    _require(CLUSTER_HEADER in signed, f"the header {CLUSTER_HEADER} is not signed")
    expires = query.get("x-amz-expires", "")
    _require(re.fullmatch("[0-9]{1,9}", expires) is not None, "X-Amz-Expires must be a number")
    _require(int(expires) <= MAX_EXPIRES, f"X-Amz-Expires is more than {MAX_EXPIRES}")
    try:
        when = datetime.strptime(query.get("x-amz-date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise PermissionError("X-Amz-Date is not a date") from error
    _require(now <= when + VALIDITY, "the token is older than 15 minutes")
    _require(when <= now + CLOCK_SKEW, "the token is from the future")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise PermissionError(otherwise)
