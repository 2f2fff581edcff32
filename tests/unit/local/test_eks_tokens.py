"""EKS tokens, reviewed with a real local STS behind."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import boto3
import pytest

from infra.local.aws import LocalAws
from infra.local.eks_tokens import MAX_TOKEN, PREFIX, AccessEntry, EksTokenReviewer, canonical_role
from infra.local.presigned_sts import Scope, signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLUSTER = "gpu-a"
HOST = "sts.eu-west-1.amazonaws.com"
ROLE = "arn:aws:iam::123456789012:role/researcher-api"
ENTRIES = {ROLE: AccessEntry("researcher-api:{{SessionName}}", ("researcher-api",))}


@dataclass(frozen=True)
class Cloud:
    """An AWS, with the credentials of sessions of two roles."""

    aws: LocalAws
    credentials: dict[str, Any]
    stranger: dict[str, Any]

    def reviewer(self, **options: Any) -> EksTokenReviewer:  # noqa: ANN401 - passed on
        """A reviewer that knows one of the roles."""
        return EksTokenReviewer(CLUSTER, self.aws.url, ENTRIES, **options)

    def url(self, credentials: dict[str, Any], cluster: str, when: datetime, changes: dict[str, str | None]) -> str:
        """A URL signed as it stands, with *changes* to its X-Amz-parameters; None leaves one out."""
        stamp = when.strftime("%Y%m%dT%H%M%SZ")
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
        return f"https://{HOST}/?" + urlencode([*pairs, ("X-Amz-Signature", made)])

    def token(self, cluster: str = CLUSTER, age: timedelta = timedelta(0), **changes: str | None) -> str:
        """A token that is in order but for what is said."""
        return wrapped(self.url(self.credentials, cluster, datetime.now(UTC) - age, changes))

    def changed(self, old: str, new: str) -> str:
        """A token whose URL was changed after it was signed."""
        url = self.url(self.credentials, CLUSTER, datetime.now(UTC), {})
        assert old in url
        return wrapped(url.replace(old, new, 1))


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


class TestAccepted:
    """Tokens that are in order."""

    def test_role_is_known_by_its_access_entry(self, cloud: Cloud) -> None:
        """User and groups are the entry's, with the session's name filled in."""
        identity = cloud.reviewer()(cloud.token())

        assert identity.user == "researcher-api:submit-job"
        assert identity.groups == ("researcher-api",)
        assert identity.extra == {
            "arn": ("arn:aws:sts::123456789012:assumed-role/researcher-api/submit@job",),
            "canonicalArn": (ROLE,),
            "sessionName": ("submit@job",),
        }

    def test_role_in_another_form_is_left_alone(self) -> None:
        """Only sessions of roles have a canonical form."""
        assert canonical_role("arn:aws:iam::123456789012:user/x") == ("arn:aws:iam::123456789012:user/x", "")


class TestRefused:
    """Tokens that are not, whoever signed them."""

    @pytest.mark.parametrize(
        ("made", "why"),
        [
            pytest.param(lambda cloud: cloud.token("gpu-b"), "STS answered 403", id="other cluster"),
            pytest.param(lambda cloud: cloud.token(age=timedelta(minutes=16)), "older than 15 minutes", id="stale"),
            pytest.param(lambda cloud: cloud.token(age=timedelta(minutes=-6)), "from the future", id="future"),
            pytest.param(lambda cloud: cloud.token(Expires="901"), "more than 900", id="lives too long"),
            pytest.param(lambda cloud: cloud.token(Expires="-1"), "must be a number", id="negative expiry"),
            pytest.param(lambda cloud: cloud.token(Expires=None), "must be a number", id="no expiry"),
            pytest.param(lambda cloud: cloud.token(Date="now"), "not a date", id="no date"),
            pytest.param(lambda cloud: cloud.token(Date=None), "not a date", id="no date at all"),
            pytest.param(lambda cloud: cloud.token(SignedHeaders="host"), "x-k8s-aws-id is not signed", id="unsigned"),
            pytest.param(lambda cloud: cloud.token(Meta="1"), "x-amz-meta is not allowed", id="extra key"),
            pytest.param(lambda cloud: cloud.changed("https://", "http://"), "not https", id="http"),
            pytest.param(lambda cloud: cloud.changed(HOST, "sts.example.com"), "host is not STS", id="wrong host"),
            pytest.param(lambda cloud: cloud.changed(HOST, "evil-" + HOST), "host is not STS", id="host with a prefix"),
            pytest.param(lambda cloud: cloud.changed(HOST, HOST + ":443"), "host is not STS", id="port"),
            pytest.param(lambda cloud: cloud.changed(HOST, "me@" + HOST), "host is not STS", id="user"),
            pytest.param(lambda cloud: cloud.changed(HOST, "[" + HOST), "not base64url of a URL", id="broken host"),
            pytest.param(lambda cloud: cloud.changed("com/", "com/x"), "path is not /", id="path"),
            pytest.param(lambda cloud: cloud.changed("&Version", "#&Version"), "path is not /", id="fragment"),
            pytest.param(lambda cloud: cloud.changed("GetCaller", "GetSession"), "action is not", id="other action"),
            pytest.param(lambda cloud: cloud.changed("&V", "&action=x&V"), "action is there twice", id="duplicate"),
            pytest.param(lambda cloud: cloud.changed("&V", "&Policy=x&V"), "policy is not allowed", id="parameter"),
            pytest.param(lambda cloud: cloud.changed("&V", " &V"), "not base64url of a URL", id="space"),
            pytest.param(lambda cloud: cloud.changed("Signature=", "Signature=0"), "STS answered 403", id="signature"),
            pytest.param(lambda _: "", "does not start", id="empty"),
            pytest.param(lambda _: "eyJhbGciOiJSUzI1NiJ9.e30.x", "does not start", id="JWT"),
            pytest.param(lambda _: PREFIX, "not unpadded base64url", id="prefix alone"),
            pytest.param(lambda _: PREFIX + "aHR0cHM6Ly94Lw==", "not unpadded base64url", id="padded"),
            pytest.param(lambda _: PREFIX + "aHR0\ncHM6", "not unpadded base64url", id="line break"),
            pytest.param(lambda _: PREFIX + "A", "not base64url", id="impossible length"),
            pytest.param(lambda _: PREFIX + "____", "not base64url", id="binary"),
            pytest.param(lambda _: PREFIX + "\ud800", "not unpadded base64url", id="lone surrogate"),
            pytest.param(lambda _: PREFIX + "a" * MAX_TOKEN, "too large", id="oversized"),
        ],
    )
    def test_rule_is_kept(self, cloud: Cloud, made: Callable[[Cloud], str], why: str) -> None:
        """Whether its signature is valid, it was changed after it was signed, or it is garbage."""
        with pytest.raises(PermissionError, match=why):
            cloud.reviewer()(made(cloud))

    def test_who_cannot_be_known_is_refused(self, cloud: Cloud) -> None:
        """A role of the account without an access entry, and everybody while STS cannot be asked."""
        stranger = wrapped(cloud.url(cloud.stranger, CLUSTER, datetime.now(UTC), {}))

        with pytest.raises(PermissionError, match="no access entry"):
            cloud.reviewer()(stranger)
        with pytest.raises(PermissionError, match="cannot be asked"):
            EksTokenReviewer(CLUSTER, "http://127.0.0.1:1", ENTRIES)(cloud.token())

    def test_refusal_is_not_remembered_and_a_yes_not_for_long(self, cloud: Cloud) -> None:
        """A token from the future is good when its time has come, and reviewed again after two minutes."""
        now = [datetime.now(UTC).timestamp() - 600]
        reviewer, token = cloud.reviewer(clock=lambda: now[0]), cloud.token()
        seen = []
        for later, why in ((0, "future"), (600 + 870, ""), (119, ""), (1, "older")):
            now[0] += later
            if why:
                with pytest.raises(PermissionError, match=why):
                    reviewer(token)
            else:
                seen.append(reviewer(token))

        assert seen[0] is seen[1]
        assert seen[0].user == "researcher-api:submit-job"
