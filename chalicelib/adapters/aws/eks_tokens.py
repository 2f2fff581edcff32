"""Credentials for the EKS cluster: the cluster's role by STS, then a token the API server takes.

An EKS token is a presigned GetCallerIdentity request, made here without a call. The cluster accepts it for 15 minutes
from its date (https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster).
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
"""Seconds until a new token is signed, well before the 15 minutes end."""
RENEW_BEFORE = 600
"""Seconds before its end that a role session is renewed, so that no token outlives it."""
PRESIGNED_FOR = 60
"""Seconds: what aws-iam-authenticator asks for; the cluster reads the date, not this."""


class Roles(Protocol):
    """Who gives sessions of roles."""

    def assume_role(self, asked: Mapping[str, str], deadline: Deadline) -> Session:
        """The session for what is *asked*; CredentialsUnavailable when there is none."""


class EksTokens:
    """Tokens for one cluster, kept until shortly before they expire."""

    def __init__(self, settings: Settings, sts: Roles, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._sts = sts
        self._clock = clock
        self._lock = Lock()
        self._session: Session | None = None
        self._token = ""
        self._renew_at = 0.0

    def token(self, deadline: Deadline, *, fresh: bool = False) -> str:
        """A token the cluster accepts; *fresh* after it refused the last one, with a new role session."""
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
        asked = {
            "RoleArn": self._settings.cluster_role_arn,
            "RoleSessionName": session_name(self._settings.aws_lambda_function_name),
            "ExternalId": self._settings.cluster_external_id,
        }
        return self._sts.assume_role(asked, deadline)


def eks_token(credentials: Credentials, cluster: str, region: str, now: float) -> str:
    """The bearer token by which *credentials* prove themselves to *cluster*, from *now* in seconds since 1970."""
    # Always the real host, even where AWS_ENDPOINT_URL points elsewhere: the cluster checks it.
    query = {"Action": "GetCallerIdentity", "Version": VERSION}
    presigned = Signer(credentials, region, now).url(sts_url(region), query, {"x-k8s-aws-id": cluster}, PRESIGNED_FOR)
    return "k8s-aws-v1." + base64.urlsafe_b64encode(presigned.encode()).decode().rstrip("=")


def sts_url(region: str) -> str:
    """STS of *region*."""
    return f"https://sts.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}/"


def session_name(function: str) -> str:
    """*function* as a role session's name, where no two functions share one."""
    clean = re.sub(r"[^\w+.@-]", lambda odd: f"={ord(odd[0]):x}=", function, flags=re.ASCII)
    return clean[:64].ljust(2, "-")


@cache
def connect(settings: Settings) -> EksTokens:
    """The tokens of this deployment's cluster, one for each process."""
    url = settings.aws_endpoint_url or sts_url(settings.aws_region)
    return EksTokens(settings, Sts(settings.aws_region, url.rstrip("/") + "/", pool.pool()))
