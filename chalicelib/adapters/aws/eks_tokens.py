"""Bearer tokens for the API server of the EKS cluster.

1. AssumeRole returns a session of the cluster's role. It is renewed ten minutes before it expires.
2. A presigned GetCallerIdentity request, signed with that session, is the token. Signing it sends no request.
3. The cluster accepts the token for 15 minutes from its date; a new one is signed after ten
   (https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster).
4. If the cluster rejects a token (401), a fresh one is requested, with a new session.
"""

from __future__ import annotations

import base64
import re
import time
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from chalicelib.adapters.aws.sigv4 import Signer
from chalicelib.adapters.aws.sts import VERSION, Sts
from chalicelib.adapters.http import pool
from chalicelib.domain.errors import CredentialsUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalicelib.adapters.aws.sigv4 import Credentials
    from chalicelib.adapters.aws.sts import Session
    from chalicelib.deadline import Deadline
    from chalicelib.settings import Settings

TOKEN_LIFE = 600
"""Seconds until a new token is signed, well before the old one expires after 15 minutes."""
RENEW_BEFORE = 600
"""Seconds before a session expires at which it is renewed, so that no token outlives its session."""
PRESIGNED_FOR = 60
"""X-Amz-Expires, in seconds, as aws-iam-authenticator requires it; the cluster checks the date instead."""

_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
}
"""The DNS suffixes of AWS' other partitions, by the start of a region's name; botocore's resolver is slow to load."""


class Roles(Protocol):
    """The port to STS."""

    def assume_role(self, parameters: Mapping[str, str], deadline: Deadline) -> Session:
        """Return a session for the *parameters* of AssumeRole; CredentialsUnavailable if there is none."""


class EksTokens:
    """The tokens for one cluster, cached until shortly before they expire."""

    def __init__(self, settings: Settings, sts: Roles, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._sts = sts
        self._clock = clock
        self._lock = Lock()
        self._session: Session | None = None
        self._token = ""
        self._renew_at = 0.0

    def token(self, deadline: Deadline, *, fresh: bool = False) -> str:
        """Return a token; if *fresh*, because the cluster rejected the cached one, with a new session."""
        with self._lock:
            now = self._clock()
            if fresh:
                self._session = None
            if fresh or now >= self._renew_at:
                credentials = self._credentials(now, deadline)
                self._token = eks_token(credentials, self._settings.cluster_name, self._settings.aws_region, now)
                self._renew_at = now + TOKEN_LIFE
            return self._token

    def _credentials(self, now: float, deadline: Deadline) -> Credentials:
        session = self._session
        if session is None or now >= session.ends - RENEW_BEFORE:
            try:
                session = self._session = self._assume_role(deadline)
            except CredentialsUnavailable:
                if session is None or now >= session.ends:
                    raise
        return session.credentials

    def _assume_role(self, deadline: Deadline) -> Session:
        parameters = {
            "RoleArn": self._settings.cluster_role_arn,
            "RoleSessionName": session_name(self._settings.aws_lambda_function_name),
            "ExternalId": self._settings.cluster_external_id,
        }
        return self._sts.assume_role(parameters, deadline)


def eks_token(credentials: Credentials, cluster: str, region: str, now: float) -> str:
    """Return a bearer token of *credentials* for *cluster*, signed at *now* in seconds since 1970."""
    # Always the real host of STS, even if AWS_ENDPOINT_URL is set: aws-iam-authenticator checks it.
    query = {"Action": "GetCallerIdentity", "Version": VERSION}
    presigned = Signer(credentials, region, now).url(sts_url(region), query, {"x-k8s-aws-id": cluster}, PRESIGNED_FOR)
    return "k8s-aws-v1." + base64.urlsafe_b64encode(presigned.encode()).decode().rstrip("=")


def sts_url(region: str) -> str:
    """Return the URL of STS in *region*."""
    suffix = next((suffix for start, suffix in _SUFFIXES.items() if region.startswith(start)), "amazonaws.com")
    return f"https://sts.{region}.{suffix}/"


def session_name(function: str) -> str:
    """Return a role session name for *function*; invalid characters are escaped, so that no two functions share it."""
    escaped = re.sub(r"[^\w+.@-]", lambda match: f"={ord(match[0]):x}=", function, flags=re.ASCII)
    return escaped[:64].ljust(2, "-")


@cache
def connect(settings: Settings) -> EksTokens:
    """Return the tokens for this deployment's cluster, one object for each process."""
    url = settings.aws_endpoint_url or sts_url(settings.aws_region)
    return EksTokens(settings, Sts(settings.aws_region, url.rstrip("/") + "/", pool.pool()))
