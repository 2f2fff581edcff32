"""Verification of EKS tokens, with a local STS."""

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
    """A local AWS, with the credentials of sessions of two roles."""

    aws: LocalAws
    credentials: dict[str, Any]
    other_role: dict[str, Any]

    def reviewer(self, **options: Any) -> EksTokenReviewer:  # noqa: ANN401 - passed on
        """Return a reviewer that has an access entry for one of the roles."""
        return EksTokenReviewer(CLUSTER, self.aws.url, ENTRIES, **options)

    def url(self, credentials: dict[str, Any], cluster: str, when: datetime, changes: dict[str, str | None]) -> str:
        """Return a signed URL, with *changes* to its X-Amz- parameters; None leaves one out."""
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
        signed = signature(credentials["SecretAccessKey"], scope, pairs, headers)
        return f"https://{HOST}/?" + urlencode([*pairs, ("X-Amz-Signature", signed)])

    def token(self, cluster: str = CLUSTER, age: timedelta = timedelta(0), **changes: str | None) -> str:
        """Return a valid token, except for the given changes."""
        return encode_token(self.url(self.credentials, cluster, datetime.now(UTC) - age, changes))

    def edited(self, old: str, new: str) -> str:
        """Return a token whose URL was edited after it was signed."""
        url = self.url(self.credentials, CLUSTER, datetime.now(UTC), {})
        assert old in url
        return encode_token(url.replace(old, new, 1))


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """Start a local AWS with both roles."""
    with LocalAws() as aws:
        sts = boto3.client("sts", **aws.connection)
        sessions = []
        for name in ("researcher-api", "other"):
            arn = aws.create_role(name, "x1")
            response = sts.assume_role(RoleArn=arn, RoleSessionName="submit@job", ExternalId="x1")
            sessions.append(dict(response["Credentials"]))
        sts.close()
        yield Cloud(aws, *sessions)


def encode_token(url: str) -> str:
    """Encode *url* as a token."""
    return PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


class TestValidTokens:
    """Valid tokens."""

    def test_role_has_the_identity_of_its_access_entry(self, cloud: Cloud) -> None:
        """User and groups come from the access entry, with the session name filled in."""
        identity = cloud.reviewer()(cloud.token())

        assert identity.user == "researcher-api:submit-job"
        assert identity.groups == ("researcher-api",)
        assert identity.extra == {
            "arn": ("arn:aws:sts::123456789012:assumed-role/researcher-api/submit@job",),
            "canonicalArn": (ROLE,),
            "sessionName": ("submit@job",),
        }

    def test_other_arns_are_unchanged(self) -> None:
        """Only ARNs of role sessions have a canonical form."""
        assert canonical_role("arn:aws:iam::123456789012:user/x") == ("arn:aws:iam::123456789012:user/x", "")


class TestInvalidTokens:
    """Invalid tokens, with valid or invalid signatures."""

    @pytest.mark.parametrize(
        ("build", "error"),
        [
            pytest.param(lambda cloud: cloud.token("gpu-b"), "responded with 403", id="other cluster"),
            pytest.param(lambda cloud: cloud.token(age=timedelta(minutes=16)), "older than 15 minutes", id="expired"),
            pytest.param(lambda cloud: cloud.token(age=timedelta(minutes=-6)), "in the future", id="future"),
            pytest.param(lambda cloud: cloud.token(Expires="901"), "at most 900", id="expiry too long"),
            pytest.param(lambda cloud: cloud.token(Expires="-1"), "must be a number", id="negative expiry"),
            pytest.param(lambda cloud: cloud.token(Expires=None), "must be a number", id="no expiry"),
            pytest.param(lambda cloud: cloud.token(Date="now"), "not a valid date", id="invalid date"),
            pytest.param(lambda cloud: cloud.token(Date=None), "not a valid date", id="no date"),
            pytest.param(
                lambda cloud: cloud.token(SignedHeaders="host"),
                "x-k8s-aws-id is not signed",
                id="unsigned",
            ),
            pytest.param(lambda cloud: cloud.token(Meta="1"), "x-amz-meta is not allowed", id="extra key"),
            pytest.param(lambda cloud: cloud.edited("https://", "http://"), "not https", id="http"),
            pytest.param(lambda cloud: cloud.edited(HOST, "sts.example.com"), "not an STS endpoint", id="wrong host"),
            pytest.param(
                lambda cloud: cloud.edited(HOST, "evil-" + HOST),
                "not an STS endpoint",
                id="host with a prefix",
            ),
            pytest.param(lambda cloud: cloud.edited(HOST, HOST + ":443"), "not an STS endpoint", id="port"),
            pytest.param(lambda cloud: cloud.edited(HOST, "me@" + HOST), "not an STS endpoint", id="user"),
            pytest.param(lambda cloud: cloud.edited(HOST, "[" + HOST), "not base64url of a URL", id="broken host"),
            pytest.param(lambda cloud: cloud.edited("com/", "com/x"), "path is not /", id="path"),
            pytest.param(lambda cloud: cloud.edited("&Version", "#&Version"), "path is not /", id="fragment"),
            pytest.param(lambda cloud: cloud.edited("GetCaller", "GetSession"), "action is not", id="other action"),
            pytest.param(lambda cloud: cloud.edited("&V", "&action=x&V"), "sent more than once", id="duplicate"),
            pytest.param(lambda cloud: cloud.edited("&V", "&Policy=x&V"), "policy is not allowed", id="parameter"),
            pytest.param(lambda cloud: cloud.edited("&V", " &V"), "not base64url of a URL", id="space"),
            pytest.param(lambda cloud: cloud.edited("Signature=", "Signature=0"), "responded with 403", id="signature"),
            pytest.param(lambda _: "", "does not start", id="empty"),
            pytest.param(lambda _: "eyJhbGciOiJSUzI1NiJ9.e30.x", "does not start", id="JWT"),
            pytest.param(lambda _: PREFIX, "not unpadded base64url", id="prefix only"),
            pytest.param(lambda _: PREFIX + "aHR0cHM6Ly94Lw==", "not unpadded base64url", id="padded"),
            pytest.param(lambda _: PREFIX + "aHR0\ncHM6", "not unpadded base64url", id="line break"),
            pytest.param(lambda _: PREFIX + "A", "not base64url", id="impossible length"),
            pytest.param(lambda _: PREFIX + "____", "not base64url", id="binary"),
            pytest.param(lambda _: PREFIX + "\ud800", "not unpadded base64url", id="lone surrogate"),
            pytest.param(lambda _: PREFIX + "a" * MAX_TOKEN, "too large", id="oversized"),
        ],
    )
    def test_token_is_rejected(self, cloud: Cloud, build: Callable[[Cloud], str], error: str) -> None:
        """A token that breaks a rule is rejected, whether its signature is valid or not."""
        with pytest.raises(PermissionError, match=error):
            cloud.reviewer()(build(cloud))

    def test_unknown_identity_is_rejected(self, cloud: Cloud) -> None:
        """A role without an access entry is rejected, and every token while STS is unreachable."""
        other_role = encode_token(cloud.url(cloud.other_role, CLUSTER, datetime.now(UTC), {}))

        with pytest.raises(PermissionError, match="no access entry"):
            cloud.reviewer()(other_role)
        with pytest.raises(PermissionError, match="cannot be reached"):
            EksTokenReviewer(CLUSTER, "http://127.0.0.1:1", ENTRIES)(cloud.token())

    def test_only_successes_are_cached(self, cloud: Cloud) -> None:
        """A rejected token is verified again at once, an accepted one after two minutes."""
        now = [datetime.now(UTC).timestamp() - 600]
        reviewer, token = cloud.reviewer(clock=lambda: now[0]), cloud.token()
        identities = []
        for elapsed, error in ((0, "future"), (600 + 870, ""), (119, ""), (1, "older")):
            now[0] += elapsed
            if error:
                with pytest.raises(PermissionError, match=error):
                    reviewer(token)
            else:
                identities.append(reviewer(token))

        assert identities[0] is identities[1]
        assert identities[0].user == "researcher-api:submit-job"
