"""Signatures of presigned requests, computed again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infra.local.presigned_sts import Scope, StsRefusal, is_presigned_identity_request, signature, verified_session

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HEADERS = {"host": "sts.eu-west-1.amazonaws.com", "x-k8s-aws-id": "gpu-a"}


@dataclass
class FakeSession:
    """Credentials of a session."""

    access_key_id: str = "ASIA1"
    secret_access_key: str = "secret"
    session_token: str = "token/+="
    expiration: datetime = NOW + timedelta(hours=1)
    account_id: str = "123456789012"
    arn: str = "arn:aws:sts::123456789012:assumed-role/r/s"
    user_id: str = "AROA1:s"


def credential(key: str = "ASIA1", day: str = "20261124", region: str = "eu-west-1", service: str = "sts") -> str:
    """X-Amz-Credential."""
    return f"{key}/{day}/{region}/{service}/aws4_request"


SESSION = FakeSession()
PAIRS = {
    "Action": "GetCallerIdentity",
    "Version": "2011-06-15",
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": credential(),
    "X-Amz-Date": "20261124T120000Z",
    "X-Amz-Expires": "60",
    "X-Amz-Security-Token": "token/+=",
    "X-Amz-SignedHeaders": "host;x-k8s-aws-id",
}


def query(**changes: str) -> str:
    """A query with *changes*, signed as it stands."""
    pairs = list({**PAIRS, **changes}.items())
    scope = Scope.parse(dict(pairs)["X-Amz-Credential"])
    signed = ("X-Amz-Signature", signature(SESSION.secret_access_key, scope, pairs, HEADERS))
    return urlencode([*pairs, signed])


def verify(text: str, session: FakeSession | None = SESSION, **headers: str) -> str:
    """Whose the query is."""
    known = {session.access_key_id: session} if session else {}
    return verified_session(text, {**HEADERS, **headers}, known.get, NOW).arn


class TestVerifiedSession:
    """What STS takes."""

    def test_signature_of_botocore_is_taken(self) -> None:
        """What AWS's own SDK signs with, and what this verifies with, are not the same code."""
        credentials = Credentials(SESSION.access_key_id, SESSION.secret_access_key, SESSION.session_token)
        url = f"https://{HEADERS['host']}/?Action=GetCallerIdentity&Version=2011-06-15"
        request = AWSRequest("GET", url, headers={"x-k8s-aws-id": "gpu-a"})
        SigV4QueryAuth(credentials, "sts", "eu-west-1", expires=60).add_auth(request)
        known = {SESSION.access_key_id: replace(SESSION, expiration=datetime.max.replace(tzinfo=UTC))}

        session = verified_session(urlsplit(str(request.url)).query, HEADERS, known.get, datetime.now(UTC))

        assert session.arn == SESSION.arn

    def test_order_of_the_query_does_not_matter(self) -> None:
        """The canonical form is sorted."""
        pairs = parse_qsl(query())

        assert verify(urlencode(pairs[::-1])) == SESSION.arn

    def test_session_without_a_time_zone_is_utc(self) -> None:
        """As moto keeps them."""
        assert verify(query(), replace(SESSION, expiration=datetime(2026, 11, 24, 12, 1))) == SESSION.arn  # noqa: DTZ001 - the case

    @pytest.mark.parametrize(
        ("name", "value", "code"),
        [
            pytest.param("Credential", credential(key="ASIA2"), "InvalidClientTokenId", id="unknown key"),
            pytest.param("Security-Token", "other", "InvalidClientTokenId", id="other session token"),
            pytest.param("Credential", credential(service="s3"), "SignatureDoesNotMatch", id="service"),
            pytest.param("Credential", credential(region="us-east-1"), "SignatureDoesNotMatch", id="region"),
            pytest.param("Credential", credential(day="20261123"), "SignatureDoesNotMatch", id="other day"),
            pytest.param("Algorithm", "AWS4-HMAC-MD5", "IncompleteSignature", id="other algorithm"),
            pytest.param("Date", "20261124T114459Z", "SignatureDoesNotMatch", id="old"),
            pytest.param("Date", "20261124T121501Z", "SignatureDoesNotMatch", id="from the future"),
            pytest.param("Date", "today", "IncompleteSignature", id="no date"),
            pytest.param("SignedHeaders", "x-k8s-aws-id", "SignatureDoesNotMatch", id="host not signed"),
        ],
    )
    def test_signed_but_wrong_is_refused(self, name: str, value: str, code: str) -> None:
        """A valid signature is not enough."""
        text = query(**{f"X-Amz-{name}": value})

        with pytest.raises(StsRefusal) as refusal:
            verify(text)

        assert refusal.value.code == code

    @pytest.mark.parametrize("scope", ["", "a/b/c/d", "a/b/c/d/e", "a/b/c/d/aws4_request/e"])
    def test_odd_scope_is_refused(self, scope: str) -> None:
        """Before anything is computed with it."""
        with pytest.raises(StsRefusal) as refusal:
            verify(urlencode({**PAIRS, "X-Amz-Credential": scope, "X-Amz-Signature": "0"}))

        assert refusal.value.code == "IncompleteSignature"

    @pytest.mark.parametrize(
        "headers",
        [{"x-k8s-aws-id": "gpu-b"}, {"host": "sts.eu-west-2.amazonaws.com"}, {"x-k8s-aws-id": ""}],
    )
    def test_signed_header_must_be_the_signed_one(self, headers: dict[str, str]) -> None:
        """Another cluster's name, or another host, is another signature."""
        with pytest.raises(StsRefusal) as refusal:
            verify(query(), SESSION, **headers)

        assert refusal.value.code == "SignatureDoesNotMatch"

    def test_tampered_query_is_refused(self) -> None:
        """Every parameter is signed."""
        with pytest.raises(StsRefusal) as refusal:
            verify(query().replace("X-Amz-Expires=60", "X-Amz-Expires=61"))

        assert refusal.value.code == "SignatureDoesNotMatch"

    def test_repeated_parameter_is_refused(self) -> None:
        """The first or the second: readers differ."""
        with pytest.raises(StsRefusal):
            verify(query() + "&X-Amz-Date=20261124T120000Z")

    def test_expired_session_is_refused(self) -> None:
        """The credentials end with the session."""
        with pytest.raises(StsRefusal) as refusal:
            verify(query(), replace(SESSION, expiration=NOW))

        assert refusal.value.code == "ExpiredToken"


class TestIsPresignedIdentityRequest:
    """Which requests are verified here."""

    def test_presigned_request_is_recognised(self) -> None:
        """By its action and its signature."""
        assert is_presigned_identity_request(query())

    @pytest.mark.parametrize("text", ["", "Action=GetCallerIdentity", "X-Amz-Signature=1&Action=GetObject", "%ff"])
    def test_others_are_moto_s(self, text: str) -> None:
        """S3 has presigned requests, too."""
        assert not is_presigned_identity_request(text)
