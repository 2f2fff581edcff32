"""Credentials for the EKS cluster, with a real local STS and the cluster's own reviewer of tokens."""

from __future__ import annotations

import base64
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.aws import eks_tokens
from chalicelib.adapters.aws.eks_tokens import RENEW_BEFORE, TOKEN_LIFE, EksTokens, eks_token, session_name
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
    """STS, which counts the sessions it gave, and fails while it has a *fault*."""

    def __init__(self, endpoint: str) -> None:
        super().__init__("eu-west-1", endpoint + "/", pool.pool())
        self.sessions = 0
        self.fault: Exception | None = None

    def assume_role(self, parameters: Mapping[str, str], deadline: Deadline) -> Session:
        """A session of the role."""
        if self.fault:
            raise self.fault
        self.sessions += 1
        return super().assume_role(parameters, deadline)


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """An AWS with the cluster's role."""
    with LocalAws() as aws:
        aws.create_role("researcher-api", "x1")
        yield aws


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Lambda's own."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")


@pytest.fixture
def sts(aws: LocalAws) -> CountingSts:
    """STS."""
    return CountingSts(aws.url)


@pytest.fixture
def clock() -> Clock:
    """The time; it starts now, because STS looks at its own clock."""
    return Clock(float(int(datetime.now(UTC).timestamp())))


def signed(token: str) -> dict[str, str]:
    """The presigned request in *token*: its query and, as `host`, where it would go."""
    encoded = token.removeprefix("k8s-aws-v1.")
    url = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    return {**dict(parse_qsl(url.query)), "host": url.netloc}


class TestAccepted:
    """What the cluster makes of a token."""

    def test_cluster_knows_the_functions_session(self, aws: LocalAws, sts: CountingSts) -> None:
        """By its access entry, so that the audit log names the function that asked."""
        tokens = EksTokens(deployment(aws_lambda_function_name="submit_job"), sts)

        identity = EksTokenReviewer("gpu-a", aws.url, ENTRIES)(tokens.token(FAR_DEADLINE))

        assert (identity.user, identity.groups) == ("researcher-api:submit_job", ("researcher-api",))

    def test_other_cluster_refuses_it(self, aws: LocalAws, sts: CountingSts) -> None:
        """Who steals one cluster's token has not got the next one's."""
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
        """Also where AWS has another domain; the cluster takes the real host alone, wherever we got the session."""
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

        assert signed(eks_token(Credentials("id", "secret"), "gpu-a", region, 0))["host"] == host


class TestKept:
    """How often AWS is asked."""

    def test_token_is_renewed_well_before_the_cluster_refuses_it(self, sts: CountingSts, clock: Clock) -> None:
        """Five minutes before, and by the session at hand; until then no call or signature is made."""
        tokens = EksTokens(deployment(), sts, clock)
        first = signed(tokens.token(FAR_DEADLINE))
        clock.now += TOKEN_LIFE - 1
        kept = signed(tokens.token(FAR_DEADLINE))
        clock.now += 1

        second = signed(tokens.token(FAR_DEADLINE))

        assert kept == first
        assert second["X-Amz-Date"] > first["X-Amz-Date"]
        assert second["X-Amz-Credential"].split("/")[0] == first["X-Amz-Credential"].split("/")[0]
        assert sts.sessions == 1

    def test_no_token_outlives_its_session(self, sts: CountingSts, clock: Clock) -> None:
        """A session that ends within a token's life is renewed before it signs another."""
        tokens = EksTokens(deployment(), sts, clock)
        first = tokens.token(FAR_DEADLINE)
        clock.now += SESSION_SECONDS - RENEW_BEFORE + 2

        second = tokens.token(FAR_DEADLINE)

        assert signed(second)["X-Amz-Security-Token"] != signed(first)["X-Amz-Security-Token"]
        assert sts.sessions == 2

    def test_many_threads_share_one_session(self, sts: CountingSts) -> None:
        """The first asks, the others wait for it."""
        tokens = EksTokens(deployment(), sts)

        with ThreadPoolExecutor(8) as threads:
            made = list(threads.map(lambda _: tokens.token(FAR_DEADLINE), range(32)))

        assert (len(set(made)), sts.sessions) == (1, 1)


class TestFresh:
    """After the cluster refused a token."""

    def test_token_and_session_are_new_and_kept(self, sts: CountingSts) -> None:
        """The role may have been made anew, and the old session is no longer its; the next call has the new one."""
        tokens = EksTokens(deployment(), sts)
        refused = tokens.token(FAR_DEADLINE)

        fresh = tokens.token(FAR_DEADLINE, fresh=True)

        assert signed(fresh)["X-Amz-Security-Token"] != signed(refused)["X-Amz-Security-Token"]
        assert (tokens.token(FAR_DEADLINE), sts.sessions) == (fresh, 2)


class TestOutage:
    """While STS does not answer."""

    def test_session_at_hand_goes_on(self, sts: CountingSts, clock: Clock) -> None:
        """Until its very end, so that a short outage is not seen."""
        tokens = EksTokens(deployment(), sts, clock)
        first = signed(tokens.token(FAR_DEADLINE))
        sts.fault = OUTAGE
        clock.now += SESSION_SECONDS - 10

        assert signed(tokens.token(FAR_DEADLINE))["X-Amz-Security-Token"] == first["X-Amz-Security-Token"]

    def test_ended_session_is_not_used(self, sts: CountingSts, clock: Clock) -> None:
        """The cluster would refuse its token, in words that mislead."""
        tokens = EksTokens(deployment(), sts, clock)
        tokens.token(FAR_DEADLINE)
        sts.fault = OUTAGE
        clock.now += SESSION_SECONDS + 60  # STS counts from its own now, which is later

        with pytest.raises(CredentialsUnavailable):
            tokens.token(FAR_DEADLINE)

    def test_failed_renewal_does_not_lose_the_token(self, sts: CountingSts) -> None:
        """One refusal of the cluster's may be its own mistake; when STS is back, it gives a new one."""
        tokens = EksTokens(deployment(), sts)
        first = tokens.token(FAR_DEADLINE)
        sts.fault = OUTAGE
        with pytest.raises(CredentialsUnavailable):
            tokens.token(FAR_DEADLINE, fresh=True)
        kept, sts.fault = tokens.token(FAR_DEADLINE), None

        assert (kept, tokens.token(FAR_DEADLINE, fresh=True) != first) == (first, True)


class TestErrors:
    """What the caller reads when there are no credentials."""

    def test_wrong_external_id(self, sts: CountingSts) -> None:
        """It is for whoever deployed the API, and no use to try again; it tells neither role nor id."""
        tokens = EksTokens(deployment(cluster_external_id="guessed"), sts)

        with pytest.raises(CredentialsUnavailable) as refusal:
            tokens.token(FAR_DEADLINE)

        assert refusal.value.retry_after is None
        assert refusal.value.detail == (f"AWS does not let this API assume the cluster's role. {REPORT_TO_OPERATORS}")


class TestSessionName:
    """A function's name as STS takes it."""

    @pytest.mark.parametrize(
        ("function", "name"),
        [
            pytest.param("researcher-rest-api-dev-submit_job", "researcher-rest-api-dev-submit_job", id="a Lambda's"),
            pytest.param("submit job", "submit=20=job", id="space"),
            pytest.param("a=b", "a=3d=b", id="the mark itself"),
            pytest.param("é", "=e9=", id="no ASCII"),
            pytest.param("x", "x-", id="too short"),
            pytest.param("x" * 65, "x" * 64, id="too long"),
        ],
    )
    def test_name(self, function: str, name: str) -> None:
        """What is allowed stays as it is; the rest is readable."""
        assert session_name(function) == name

    @given(st.text())
    def test_sts_takes_every_name(self, function: str) -> None:
        """By the pattern of its API reference."""
        assert re.fullmatch(r"[\w+=,.@-]{2,64}", session_name(function), re.ASCII)

    @given(st.lists(st.text("aé =2d0", min_size=2, max_size=5), min_size=2, max_size=2, unique=True))
    def test_no_two_functions_share_a_name(self, functions: list[str]) -> None:
        """So that the audit log tells them apart."""
        one, other = functions

        assert session_name(one) != session_name(other)


class TestConnect:
    """The tokens of this deployment."""

    @pytest.fixture(autouse=True)
    def forgotten(self) -> Iterator[None]:
        """Nothing stays connected afterwards."""
        yield
        eks_tokens.connect.cache_clear()

    def test_lambdas_own_credentials_assume_the_role(self, aws: LocalAws) -> None:
        """Found where botocore finds them; no setting of ours holds a secret. The endpoint may end with a slash."""
        token = eks_tokens.connect(deployment(aws_endpoint_url=aws.url + "/")).token(FAR_DEADLINE)

        assert EksTokenReviewer("gpu-a", aws.url, ENTRIES)(token).user == "researcher-api:local"

    def test_process_has_one(self) -> None:
        """So that warm calls find their token."""
        assert eks_tokens.connect(deployment()) is eks_tokens.connect(deployment())
        assert eks_tokens.connect(deployment()) is not eks_tokens.connect(deployment(cluster_name="gpu-b"))
