"""EKS tokens, reviewed with a real local STS behind."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import boto3
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infra.local.aws import LocalAws
from infra.local.eks_tokens import MAX_TOKEN, PREFIX, AccessEntry, EksTokenReviewer, canonical_role
from infra.local.presigned_sts import Scope, signature

if TYPE_CHECKING:
    from collections.abc import Iterator

CLUSTER = "gpu-a"
HOST = "sts.eu-west-1.amazonaws.com"
ROLE = "arn:aws:iam::123456789012:role/researcher-api"


@dataclass(frozen=True)
class Cloud:
    """An AWS, with the credentials of sessions of two roles."""

    aws: LocalAws
    credentials: dict[str, Any]
    stranger: dict[str, Any]

    def reviewer(self, **options: Any) -> EksTokenReviewer:  # noqa: ANN401 - passed on
        """A reviewer that knows one of the roles."""
        entries = {ROLE: AccessEntry("researcher-api:{{SessionName}}", ("researcher-api",))}
        return EksTokenReviewer(CLUSTER, self.aws.url, entries, **options)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """The cloud of this file."""
    with LocalAws() as aws:
        sts = boto3.client("sts", **aws.connection)
        sessions = []
        for name in ("researcher-api", "stranger"):
            arn = aws.create_role(name, "x1")
            answer = sts.assume_role(RoleArn=arn, RoleSessionName="submit@job", ExternalId="x1")
            sessions.append(dict(answer["Credentials"]))
        sts.close()
        yield Cloud(aws, *sessions)


def wrapped(url: str) -> str:
    """*url* as a token."""
    return PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def signed_query(
    credentials: dict[str, Any], cluster: str = CLUSTER, when: datetime | None = None, **changes: str | None
) -> str:
    """A query signed as it stands, with *changes* to its X-Amz-parameters; None leaves one out."""
    stamp = (when or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    parameters = {
        "Algorithm": "AWS4-HMAC-SHA256",
        "Credential": f"{credentials['AccessKeyId']}/{stamp[:8]}/eu-west-1/sts/aws4_request",
        "Date": stamp,
        "Expires": "60",
        "Security-Token": credentials["SessionToken"],
        "SignedHeaders": "host;x-k8s-aws-id",
        **changes,
    }
    pairs = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")]
    pairs += [(f"X-Amz-{name}", value) for name, value in parameters.items() if value is not None]
    headers = {"host": HOST, "x-k8s-aws-id": cluster}
    scope = Scope.parse(str(parameters["Credential"]))
    made = signature(credentials["SecretAccessKey"], scope, pairs, headers)
    return urlencode([*pairs, ("X-Amz-Signature", made)])


def token(credentials: dict[str, Any], cluster: str = CLUSTER, when: datetime | None = None, **changes: Any) -> str:  # noqa: ANN401 - passed on
    """A token that is in order but for *changes*."""
    return wrapped(f"https://{HOST}/?" + signed_query(credentials, cluster, when, **changes))


class TestAccepted:
    """Tokens that are in order."""

    def test_role_is_known_by_its_access_entry(self, cloud: Cloud) -> None:
        """User and groups are the entry's, with the session's name filled in."""
        identity = cloud.reviewer()(token(cloud.credentials))

        assert identity.user == "researcher-api:submit-job"
        assert identity.groups == ("researcher-api",)
        assert identity.extra == {
            "arn": ("arn:aws:sts::123456789012:assumed-role/researcher-api/submit@job",),
            "canonicalArn": (ROLE,),
            "sessionName": ("submit@job",),
        }

    def test_token_of_botocore_is_taken(self, cloud: Cloud) -> None:
        """As AWS's own SDK signs it."""
        own = cloud.credentials
        request = AWSRequest(
            "GET",
            f"https://{HOST}/?Action=GetCallerIdentity&Version=2011-06-15",
            headers={"x-k8s-aws-id": CLUSTER},
        )
        credentials = Credentials(own["AccessKeyId"], own["SecretAccessKey"], own["SessionToken"])
        SigV4QueryAuth(credentials, "sts", "eu-west-1", expires=60).add_auth(request)

        assert cloud.reviewer()(wrapped(str(request.url))).user == "researcher-api:submit-job"

    def test_role_in_another_form_is_left_alone(self) -> None:
        """Only sessions of roles have a canonical form."""
        assert canonical_role("arn:aws:iam::123456789012:user/x") == ("arn:aws:iam::123456789012:user/x", "")


class TestRefused:
    """Tokens that are not, whoever signed them."""

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            pytest.param({"cluster": "gpu-b"}, "STS answered 403", id="other cluster"),
            pytest.param({"when": timedelta(minutes=-16)}, "older than 15 minutes", id="stale"),
            pytest.param({"when": timedelta(minutes=6)}, "from the future", id="from the future"),
            pytest.param({"Expires": "901"}, "more than 900", id="lives too long"),
            pytest.param({"Expires": "-1"}, "not a number", id="negative expiry"),
            pytest.param({"Expires": None}, "not a number", id="no expiry"),
            pytest.param({"Date": "now"}, "not a date", id="no date"),
            pytest.param({"SignedHeaders": "host"}, "x-k8s-aws-id is not signed", id="unsigned header"),
            pytest.param({"Date": None}, "not a date", id="no date at all"),
            pytest.param({"Meta": "1"}, "x-amz-meta is not allowed", id="extra key"),
        ],
    )
    def test_rule_is_kept(self, cloud: Cloud, changes: dict[str, Any], why: str) -> None:
        """Each of these has a valid signature."""
        shift = changes.pop("when", timedelta(0))
        bad = token(cloud.credentials, when=datetime.now(UTC) + shift, **changes)

        with pytest.raises(PermissionError, match=why):
            cloud.reviewer()(bad)

    @pytest.mark.parametrize(
        ("old", "new", "why"),
        [
            pytest.param("https://", "http://", "not https", id="http"),
            pytest.param(HOST, "sts.example.com", "host is not STS", id="wrong host"),
            pytest.param(HOST, "evil-" + HOST, "host is not STS", id="host with a prefix"),
            pytest.param(HOST, HOST + ":443", "host is not STS", id="port"),
            pytest.param(HOST, "me@" + HOST, "host is not STS", id="user"),
            pytest.param(HOST, "[" + HOST, "not base64url of a URL", id="broken host"),
            pytest.param(HOST + "/", HOST + "/x", "path is not /", id="path"),
            pytest.param("GetCallerIdentity", "GetCallerIdentity#", "path is not /", id="fragment"),
            pytest.param("GetCallerIdentity", "GetSessionToken", "action is not", id="other action"),
            pytest.param("&Version", "&action=GetCallerIdentity&Version", "action is there twice", id="duplicate"),
            pytest.param("&Version", "&Policy=x&Version", "policy is not allowed", id="unknown parameter"),
            pytest.param("Signature=", "Signature=0", "STS answered 403", id="tampered signature"),
            pytest.param("Expires=60", "Expires=61", "STS answered 403", id="tampered query"),
            pytest.param("&Version", " &Version", "not base64url of a URL", id="space"),
        ],
    )
    def test_changed_url_is_refused(self, cloud: Cloud, old: str, new: str, why: str) -> None:
        """After it was signed."""
        url = f"https://{HOST}/?" + signed_query(cloud.credentials)
        assert old in url

        with pytest.raises(PermissionError, match=why):
            cloud.reviewer()(wrapped(url.replace(old, new, 1)))

    def test_unknown_role_is_refused(self, cloud: Cloud) -> None:
        """A role of the account without an access entry is nobody."""
        with pytest.raises(PermissionError, match="no access entry"):
            cloud.reviewer()(token(cloud.stranger))

    @pytest.mark.parametrize(
        ("bad", "why"),
        [
            pytest.param("", "does not start", id="empty"),
            pytest.param("eyJhbGciOiJSUzI1NiJ9.e30.x", "does not start", id="JWT"),
            pytest.param(PREFIX, "not unpadded base64url", id="prefix alone"),
            pytest.param(PREFIX + "aHR0cHM6Ly94Lw==", "not unpadded base64url", id="padded"),
            pytest.param(PREFIX + "aHR0\ncHM6", "not unpadded base64url", id="line break"),
            pytest.param(PREFIX + "A", "not base64url", id="impossible length"),
            pytest.param(PREFIX + "____", "not base64url", id="binary"),
            pytest.param(PREFIX + "\ud800", "not unpadded base64url", id="lone surrogate"),
            pytest.param(PREFIX + "a" * MAX_TOKEN, "too large", id="oversized"),
        ],
    )
    def test_garbage_is_refused(self, cloud: Cloud, bad: str, why: str) -> None:
        """Whatever it is, and without asking anybody."""
        with pytest.raises(PermissionError, match=why):
            cloud.reviewer()(bad)

    def test_padded_token_is_refused(self, cloud: Cloud) -> None:
        """Also when everything else is in order."""
        url = f"https://{HOST}/?" + signed_query(cloud.credentials)
        url += "&" if len(url) % 3 == 0 else ""
        padded = PREFIX + base64.urlsafe_b64encode(url.encode()).decode()
        assert padded.endswith("=")

        with pytest.raises(PermissionError, match="unpadded"):
            cloud.reviewer()(padded)

    def test_unreachable_sts_refuses(self, cloud: Cloud) -> None:
        """Who cannot be checked is not let in."""
        entries = {ROLE: AccessEntry("x", ())}

        with pytest.raises(PermissionError, match="cannot be asked"):
            EksTokenReviewer(CLUSTER, "http://127.0.0.1:1", entries)(token(cloud.credentials))


class TestCache:
    """A yes is remembered for a while."""

    def test_verdict_lasts_two_minutes(self, cloud: Cloud) -> None:
        """Afterwards the token is reviewed again, and may be too old by then."""
        now = [datetime.now(UTC).timestamp()]
        reviewer = cloud.reviewer(clock=lambda: now[0])
        old = token(cloud.credentials, when=datetime.now(UTC) - timedelta(minutes=14, seconds=30))
        first = reviewer(old)

        now[0] += 119
        assert reviewer(old) is first

        now[0] += 1
        with pytest.raises(PermissionError, match="older"):
            reviewer(old)

    def test_refusal_is_not_remembered(self, cloud: Cloud) -> None:
        """A token from the future is good when its time has come."""
        now = [datetime.now(UTC).timestamp() - 600]
        reviewer = cloud.reviewer(clock=lambda: now[0])
        early = token(cloud.credentials)
        with pytest.raises(PermissionError, match="future"):
            reviewer(early)

        now[0] += 600
        assert reviewer(early).user == "researcher-api:submit-job"
