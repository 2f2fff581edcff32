"""EKS tokens, verified by the rules of aws-iam-authenticator, which EKS runs beside each API server.

1. A token is a presigned GetCallerIdentity request. The reviewer checks its URL and sends it to STS.
2. STS verifies the signature and returns the ARN of the signer.
3. The cluster's name is a signed header that the reviewer adds itself, so a token for another cluster fails at STS.
4. The access entry of the signer's role decides user name and groups.

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
"""As long as EKS's API server caches the results of its webhook."""

_HOST = re.compile(r"sts(?:\.[a-z0-9-]+)?\.amazonaws\.com")
_ASSUMED_ROLE = re.compile(r"arn:(aws[\w-]*):sts::([0-9]{12}):assumed-role/([^/]+)/(.+)")
_SIGNING = {"algorithm", "credential", "date", "expires", "security-token", "signature", "signedheaders"}
_KEYS = {"action", "version", *(f"x-amz-{name}" for name in _SIGNING)}


@dataclass(frozen=True)
class AccessEntry:
    """The identity of a role on the cluster; `{{SessionName}}` in *username* is replaced by the session name."""

    username: str
    groups: tuple[str, ...]


class EksTokenReviewer:
    """Verifies tokens for the cluster *cluster_name*; the keys of *entries* are role ARNs."""

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
        self._cache: TtlCache[bytes, Identity] = TtlCache(CACHED_SECONDS, clock)

    def __call__(self, token: str) -> Identity:
        """Return the identity of *token*; raise PermissionError if it is invalid.

        Only successes are cached, for two minutes.
        """
        key = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        return self._cache.get_or_load(key, lambda: self._identity(token, datetime.fromtimestamp(self._clock(), UTC)))

    def _identity(self, token: str, now: datetime) -> Identity:
        host, query = parse_token(token, now)
        arn = self._signer_arn(host, query)
        role, session = canonical_role(arn)
        entry = self._entries.get(role)
        if entry is None:
            raise PermissionError(f"no access entry for {role}")
        username = entry.username.replace("{{SessionName}}", session.replace("@", "-"))
        extra = {"arn": (arn,), "canonicalArn": (role,), "sessionName": (session,)}
        return Identity(user=username, groups=entry.groups, extra=extra)

    def _signer_arn(self, host: str, query: str) -> str:
        """Send the presigned request to STS and return the ARN of its signer."""
        headers = {"Host": host, CLUSTER_HEADER: self._cluster_name, "Accept": "application/json"}
        connection = http.client.HTTPConnection(self._sts, timeout=10)
        try:
            connection.request("GET", f"/?{query}", headers=headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise PermissionError("STS cannot be reached") from error
        finally:
            connection.close()
        _require(response.status == http.HTTPStatus.OK, f"STS responded with {response.status}")
        return str(json.loads(body)["GetCallerIdentityResponse"]["GetCallerIdentityResult"]["Arn"])


def parse_token(token: str, now: datetime) -> tuple[str, str]:
    """Return host and query of the URL in *token*; raise PermissionError if it breaks a rule that needs no STS."""
    _require(len(token) <= MAX_TOKEN, "the token is too large")
    _require(token.startswith(PREFIX), f"the token does not start with {PREFIX}")
    url = _decode_url(token.removeprefix(PREFIX))
    _require(url.scheme == "https", "the URL's scheme is not https")
    _require(_HOST.fullmatch(url.netloc) is not None, "the URL's host is not an STS endpoint")
    _require(url.path == "/" and not url.fragment, "the URL's path is not /")
    _check_query(_lower_case_query(url.query), now)
    return url.netloc, url.query


def canonical_role(arn: str) -> tuple[str, str]:
    """Return the role ARN and the session name for the *arn* of an assumed role."""
    parts = _ASSUMED_ROLE.fullmatch(arn)
    if parts is None:
        return arn, ""
    partition, account, role, session = parts.groups()
    return f"arn:{partition}:iam::{account}:role/{role}", session


def _decode_url(encoded: str) -> SplitResult:
    # Python's decoder ignores characters outside the alphabet and accepts padding.
    _require(re.fullmatch("[A-Za-z0-9_-]+", encoded) is not None, "the token is not unpadded base64url")
    try:
        url = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode("ascii")
        parts = urlsplit(url)
    except ValueError as error:
        raise PermissionError("the token is not base64url of a URL") from error
    _require(re.fullmatch("[!-~]+", url) is not None, "the token is not base64url of a URL")
    return parts


def _lower_case_query(query: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        key = name.lower()
        _require(key in _KEYS, f"the query parameter {key} is not allowed")
        _require(key not in parameters, f"the query parameter {key} was sent more than once")
        parameters[key] = value
    return parameters


def _check_query(query: Mapping[str, str], now: datetime) -> None:
    _require(query.get("action") == "GetCallerIdentity", "the action is not GetCallerIdentity")
    signed = query.get("x-amz-signedheaders", "").split(";")
    _require(CLUSTER_HEADER in signed, f"the header {CLUSTER_HEADER} is not signed")
    expires = query.get("x-amz-expires", "")
    _require(re.fullmatch("[0-9]{1,9}", expires) is not None, "X-Amz-Expires must be a number")
    _require(int(expires) <= MAX_EXPIRES, f"X-Amz-Expires must be at most {MAX_EXPIRES}")
    try:
        signed_at = datetime.strptime(query.get("x-amz-date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise PermissionError("X-Amz-Date is not a valid date") from error
    _require(now <= signed_at + VALIDITY, "the token is older than 15 minutes")
    _require(signed_at <= now + CLOCK_SKEW, "the token's date is in the future")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise PermissionError(message)
