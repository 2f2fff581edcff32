"""EKS tokens, with a local STS and the token review of the cluster's authenticator."""

from __future__ import annotations

import base64
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.aws import eks_tokens
from chalicelib.adapters.aws.eks_tokens import RENEW_BEFORE, TOKEN_LIFE, EksTokens, eks_token, session_name, sts_url
from chalicelib.adapters.aws.sigv4 import Credentials
from chalicelib.adapters.aws.sts import Session, Sts
from chalicelib.adapters.http import pool
from chalicelib.domain.errors import REPORT_TO_OPERATORS, CredentialsUnavailable
from infra.local.aws import LocalAws
from infra.local.eks_tokens import AccessEntry, EksTokenReviewer
from tests.support.builders import deployment
from tests.support.scripted_server import FAR_DEADLINE, Clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from chalicelib.deadline import Deadline

ROLE = "arn:aws:iam::123456789012:role/researcher-api"
ENTRIES = {ROLE: AccessEntry("researcher-api:{{SessionName}}", ("researcher-api",))}
SESSION_SECONDS = 3600
OUTAGE = CredentialsUnavailable(
    "AWS STS cannot be reached to assume the cluster's role. Try again later.", retry_after=5
)


class CountingSts(Sts):
    """An STS client that counts its sessions, and raises *fault* if it is set."""

    def __init__(self, endpoint: str) -> None:
        super().__init__("eu-west-1", endpoint + "/", pool.pool())
        self.sessions = 0
        self.fault: Exception | None = None

    def assume_role(self, parameters: Mapping[str, str], deadline: Deadline) -> Session:
        """Count the session and return it, or raise the fault."""
        if self.fault:
            raise self.fault
        self.sessions += 1
        return super().assume_role(parameters, deadline)


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """Start an AWS with the cluster's role."""
    with LocalAws() as aws:
        aws.create_role("researcher-api", "x1")
        yield aws


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the credentials of a Lambda."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")


@pytest.fixture
def sts(aws: LocalAws) -> CountingSts:
    """Return the STS that counts its sessions."""
    return CountingSts(aws.url)


@pytest.fixture
def clock() -> Clock:
    """Return a clock that starts at the current time, because STS uses its own clock."""
    return Clock(float(int(datetime.now(UTC).timestamp())))


def signed(token: str) -> dict[str, str]:
    """Return the query of the presigned request in *token*, with its host as `host`."""
    encoded = token.removeprefix("k8s-aws-v1.")
    url = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    return {**dict(parse_qsl(url.query)), "host": url.netloc}


class TestAccepted:
    """Whether the cluster accepts a token."""

    def test_user_name_contains_the_function(self, aws: LocalAws, sts: CountingSts) -> None:
        """The access entry maps the session to a user name with the function's name, for the audit log."""
        tokens = EksTokens(deployment(aws_lambda_function_name="submit_job"), sts)

        identity = EksTokenReviewer("gpu-a", aws.url, ENTRIES)(tokens.token(FAR_DEADLINE))

        assert (identity.user, identity.groups) == ("researcher-api:submit_job", ("researcher-api",))

    def test_another_cluster_rejects_the_token(self, aws: LocalAws, sts: CountingSts) -> None:
        """A stolen token of one cluster is not valid for another."""
        tokens = EksTokens(deployment(), sts)

        with pytest.raises(PermissionError, match="STS responded with 403"):
            EksTokenReviewer("gpu-b", aws.url, ENTRIES)(tokens.token(FAR_DEADLINE))

    @pytest.mark.parametrize(
        ("region", "host"),
        [
            ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn"),
        ],
    )
    def test_host_is_the_regions_own(self, region: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """The token is for the real regional host of STS in each partition, even if AWS_ENDPOINT_URL is set."""
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

        assert signed(eks_token(Credentials("id", "secret"), "gpu-a", region, 0))["host"] == host


class TestCache:
    """The caching of tokens and sessions."""

    def test_token_is_renewed_before_it_expires(self, sts: CountingSts, clock: Clock) -> None:
        """A token is signed again five minutes before it expires, with the cached session; until then it is reused."""
        tokens = EksTokens(deployment(), sts, clock)
        first = signed(tokens.token(FAR_DEADLINE))
        clock.now += TOKEN_LIFE - 1
        cached = signed(tokens.token(FAR_DEADLINE))
        clock.now += 1

        second = signed(tokens.token(FAR_DEADLINE))

        assert cached == first
        assert second["X-Amz-Date"] > first["X-Amz-Date"]
        assert second["X-Amz-Credential"].split("/")[0] == first["X-Amz-Credential"].split("/")[0]
        assert sts.sessions == 1

    def test_no_token_outlives_its_session(self, sts: CountingSts, clock: Clock) -> None:
        """A session that would expire within a token's life is renewed before a token is signed."""
        tokens = EksTokens(deployment(), sts, clock)
        first = tokens.token(FAR_DEADLINE)
        clock.now += SESSION_SECONDS - RENEW_BEFORE + 2

        second = tokens.token(FAR_DEADLINE)

        assert signed(second)["X-Amz-Security-Token"] != signed(first)["X-Amz-Security-Token"]
        assert sts.sessions == 2

    def test_many_threads_share_one_session(self, sts: CountingSts) -> None:
        """Concurrent requests for a token request one session."""
        tokens = EksTokens(deployment(), sts)

        with ThreadPoolExecutor(8) as threads:
            issued = list(threads.map(lambda _: tokens.token(FAR_DEADLINE), range(32)))

        assert (len(set(issued)), sts.sessions) == (1, 1)


class TestFresh:
    """After the cluster rejected a token."""

    def test_token_and_session_are_new_and_cached(self, sts: CountingSts) -> None:
        """A new session is requested, as the role may have been created again; the next request reuses its token."""
        tokens = EksTokens(deployment(), sts)
        rejected = tokens.token(FAR_DEADLINE)

        fresh = tokens.token(FAR_DEADLINE, fresh=True)

        assert signed(fresh)["X-Amz-Security-Token"] != signed(rejected)["X-Amz-Security-Token"]
        assert (tokens.token(FAR_DEADLINE), sts.sessions) == (fresh, 2)


class TestOutage:
    """While STS is unavailable."""

    def test_cached_session_is_used(self, sts: CountingSts, clock: Clock) -> None:
        """The cached session is used until it expires, so a short outage has no effect."""
        tokens = EksTokens(deployment(), sts, clock)
        first = signed(tokens.token(FAR_DEADLINE))
        sts.fault = OUTAGE
        clock.now += SESSION_SECONDS - 10

        assert signed(tokens.token(FAR_DEADLINE))["X-Amz-Security-Token"] == first["X-Amz-Security-Token"]

    def test_expired_session_is_not_used(self, sts: CountingSts, clock: Clock) -> None:
        """The cluster would reject its token with a misleading error."""
        tokens = EksTokens(deployment(), sts, clock)
        tokens.token(FAR_DEADLINE)
        sts.fault = OUTAGE
        clock.now += SESSION_SECONDS + 60  # the session begins at the time of STS, which is later

        with pytest.raises(CredentialsUnavailable):
            tokens.token(FAR_DEADLINE)

    def test_failed_renewal_keeps_the_cached_token(self, sts: CountingSts) -> None:
        """The cached token stays in use, as the rejection may have been temporary; later a new one can be requested."""
        tokens = EksTokens(deployment(), sts)
        first = tokens.token(FAR_DEADLINE)
        sts.fault = OUTAGE
        with pytest.raises(CredentialsUnavailable):
            tokens.token(FAR_DEADLINE, fresh=True)
        cached, sts.fault = tokens.token(FAR_DEADLINE), None

        assert (cached, tokens.token(FAR_DEADLINE, fresh=True) != first) == (first, True)


class TestErrors:
    """The error for the caller if there are no credentials."""

    def test_wrong_external_id(self, sts: CountingSts) -> None:
        """The error is for the operators, has no Retry-After, and contains neither the role nor the external id."""
        tokens = EksTokens(deployment(cluster_external_id="guessed"), sts)

        with pytest.raises(CredentialsUnavailable) as raised:
            tokens.token(FAR_DEADLINE)

        assert raised.value.retry_after is None
        assert raised.value.detail == (f"AWS does not let this API assume the cluster's role. {REPORT_TO_OPERATORS}")


class TestSessionName:
    """The role session name of a function."""

    @pytest.mark.parametrize(
        ("function", "name"),
        [
            pytest.param(
                "researcher-rest-api-dev-submit_job", "researcher-rest-api-dev-submit_job", id="function name"
            ),
            pytest.param("submit job", "submit=20=job", id="space"),
            pytest.param("a=b", "a=3d=b", id="escape character"),
            pytest.param("é", "=e9=", id="not ASCII"),
            pytest.param("x", "x-", id="too short"),
            pytest.param("x" * 65, "x" * 64, id="too long"),
        ],
    )
    def test_name(self, function: str, name: str) -> None:
        """Valid characters are unchanged, and others are escaped readably."""
        assert session_name(function) == name

    @given(st.text())
    def test_every_name_is_valid_for_sts(self, function: str) -> None:
        """Every name matches the pattern in the API reference of STS."""
        assert re.fullmatch(r"[\w+=,.@-]{2,64}", session_name(function), re.ASCII)

    @given(st.lists(st.text("aé =2d0", min_size=2, max_size=5), min_size=2, max_size=2, unique=True))
    def test_no_two_functions_share_a_name(self, functions: list[str]) -> None:
        """Names of different functions differ, so that the audit log distinguishes them."""
        first, second = functions

        assert session_name(first) != session_name(second)


class TestConnect:
    """The tokens of this deployment."""

    @pytest.fixture(autouse=True)
    def disconnect(self) -> Iterator[None]:
        """Clear the cached connection after the test."""
        yield
        eks_tokens.connect.cache_clear()

    def test_lambdas_own_credentials_assume_the_role(self, aws: LocalAws) -> None:
        """The function's own credentials assume the role; the endpoint URL may end with a slash."""
        token = eks_tokens.connect(deployment(aws_endpoint_url=aws.url + "/")).token(FAR_DEADLINE)

        assert EksTokenReviewer("gpu-a", aws.url, ENTRIES)(token).user == "researcher-api:local"

    def test_connection_is_cached(self) -> None:
        """Warm invocations reuse the tokens; another cluster has its own."""
        assert eks_tokens.connect(deployment()) is eks_tokens.connect(deployment())
        assert eks_tokens.connect(deployment()) is not eks_tokens.connect(deployment(cluster_name="gpu-b"))


def test_endpoint_of_every_region() -> None:
    """The host is that of the AWS SDKs, in all partitions."""
    session = botocore.session.get_session()
    resolver = session.get_component("endpoint_resolver")
    regions = {
        region: resolver.get_partition_dns_suffix(partition)
        for partition in resolver.get_available_partitions()
        for region in session.get_available_regions("sts", partition)
    }

    assert {region: sts_url(region) for region in regions} == {
        region: f"https://sts.{region}.{suffix}/" for region, suffix in regions.items()
    }
    assert len(set(regions.values())) > 3
