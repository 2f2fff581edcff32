"""Credentials for the EKS cluster: the cluster's role by STS, then a token the API server takes.

An EKS token is a presigned GetCallerIdentity request, made here without a call. The cluster accepts it for 15 minutes
from its date (https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster).
"""

from __future__ import annotations

import base64
import re
import time
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from chalicelib.domain.errors import CredentialsUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.settings import Settings

TOKEN_LIFE = 600
"""Seconds until a new token is signed, well before the 15 minutes end."""
RENEW_BEFORE = 600
"""Seconds before its end that a role session is renewed, so that no token outlives it."""
PRESIGNED_FOR = 60
"""Seconds: what aws-iam-authenticator asks for; the cluster reads the date, not this."""
RETRY_AFTER = 5

# What stands in for STS on a broken way may answer 200 with anything: a page, half a document, no date.
_NO_ANSWER = (BotoCoreError, ResponseParserError, KeyError, ValueError)


@dataclass(frozen=True)
class _Session:
    """A session of the cluster's role."""

    credentials: Credentials
    ends: float


class EksTokens:
    """Tokens for one cluster, kept until shortly before they expire."""

    def __init__(self, settings: Settings, sts: Any, clock: Callable[[], float] = time.time) -> None:  # noqa: ANN401 - botocore makes its clients at run time
        self._settings = settings
        self._sts = sts
        self._clock = clock
        self._lock = Lock()
        self._session: _Session | None = None
        self._token = ""
        self._renew_at = 0.0

    def token(self, *, fresh: bool = False) -> str:
        """A token the cluster accepts; *fresh* after it refused the last one, with a new role session."""
        with self._lock:
            now = self._clock()
            if fresh:
                self._session = None
            if fresh or now >= self._renew_at:
                self._token = eks_token(self._credentials(now), self._settings.cluster_name, self._settings.aws_region)
                self._renew_at = now + TOKEN_LIFE
            return self._token

    def _credentials(self, now: float) -> Credentials:
        session = self._session
        if session is None or now >= session.ends - RENEW_BEFORE:
            try:
                session = self._session = self._assume_role()
            except CredentialsUnavailable:
                if session is None or now >= session.ends:
                    raise
        return session.credentials

    def _assume_role(self) -> _Session:
        try:
            answer = self._sts.assume_role(
                RoleArn=self._settings.cluster_role_arn,
                RoleSessionName=session_name(self._settings.aws_lambda_function_name),
                ExternalId=self._settings.cluster_external_id,
            )
            given = answer["Credentials"]
            credentials = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
            return _Session(credentials, given["Expiration"].timestamp())
        except ClientError as error:
            raise _refusal(error) from error
        except _NO_ANSWER as error:
            message = "AWS STS cannot be reached for the cluster's role. Try again."
            raise CredentialsUnavailable(message, retry_after=RETRY_AFTER) from error


def eks_token(credentials: Credentials, cluster: str, region: str) -> str:
    """The bearer token by which *credentials* prove themselves to *cluster*."""
    # Always the real host, even where AWS_ENDPOINT_URL points elsewhere: the cluster checks it.
    host = f"sts.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")
    url = f"https://{host}/?Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest(method="GET", url=url, headers={"x-k8s-aws-id": cluster})
    SigV4QueryAuth(credentials, "sts", region, expires=PRESIGNED_FOR).add_auth(request)
    return "k8s-aws-v1." + base64.urlsafe_b64encode(str(request.url).encode()).decode().rstrip("=")


def session_name(function: str) -> str:
    """*function* as a role session's name, where no two functions share one."""
    clean = re.sub(r"[^\w+.@-]", lambda odd: f"={ord(odd[0]):x}=", function, flags=re.ASCII)
    return clean[:64].ljust(2, "-")


def _refusal(error: ClientError) -> CredentialsUnavailable:
    passes = error.response["Error"]["Code"] in ("Throttling", "ThrottlingException", "RequestLimitExceeded")
    if passes or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:  # noqa: PLR2004 - STS's own fault
        return CredentialsUnavailable("AWS STS asks for a pause. Try again.", retry_after=RETRY_AFTER)
    return CredentialsUnavailable("AWS does not let this API assume the cluster's role. Tell whoever deployed it.")


@cache
def connect(settings: Settings) -> EksTokens:
    """The tokens of this deployment's cluster, one for each process."""
    # 8 s at worst: after the default deadline of 20 s, still below API Gateway's 29.
    config = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 2, "mode": "standard"})
    sts = botocore.session.get_session().create_client("sts", region_name=settings.aws_region, config=config)
    return EksTokens(settings, sts)
