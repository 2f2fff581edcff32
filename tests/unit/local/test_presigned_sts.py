"""Verification of presigned requests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

import pytest

from infra.local.presigned_sts import Scope, StsError, is_presigned_identity_request, signature, verify_session

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HEADERS = {"host": "sts.eu-west-1.amazonaws.com", "x-k8s-aws-id": "gpu-a"}


@dataclass
class FakeSession:
    """The credentials of a session."""

    access_key_id: str = "ASIA1"
    secret_access_key: str = "secret"
    session_token: str = "token/+="
    expiration: datetime = NOW + timedelta(hours=1)
    account_id: str = "123456789012"
    arn: str = "arn:aws:sts::123456789012:assumed-role/r/s"
    user_id: str = "AROA1:s"


def credential(key: str = "ASIA1", day: str = "20261124", region: str = "eu-west-1", service: str = "sts") -> str:
    """Return a value for X-Amz-Credential."""
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


def query(name: str = "Algorithm", value: str = "AWS4-HMAC-SHA256") -> str:
    """Return a signed query whose parameter X-Amz-*name* is *value*."""
    pairs = list({**PAIRS, f"X-Amz-{name}": value}.items())
    scope = Scope.parse(dict(pairs)["X-Amz-Credential"])
    signed = ("X-Amz-Signature", signature(SESSION.secret_access_key, scope, pairs, HEADERS))
    return urlencode([*pairs, signed])


def verify(text: str, session: FakeSession | None = SESSION, **headers: str) -> str:
    """Return the ARN of the signer."""
    known = {session.access_key_id: session} if session else {}
    return verify_session(text, {**HEADERS, **headers}, known.get, NOW).arn


class TestVerifySession:
    """Presigned requests that STS accepts or rejects."""

    def test_order_of_the_query_does_not_matter(self) -> None:
        """The canonical query is sorted, and a session's expiration without a time zone, as moto stores it, is UTC."""
        session = replace(SESSION, expiration=datetime(2026, 11, 24, 12, 1))  # noqa: DTZ001 - the case
        assert verify(urlencode(parse_qsl(query())[::-1]), session) == SESSION.arn

    @pytest.mark.parametrize(
        ("text", "headers", "code"),
        [
            pytest.param(query("Credential", credential(key="ASIA2")), {}, "InvalidClientTokenId", id="unknown key"),
            pytest.param(query("Security-Token", "other"), {}, "InvalidClientTokenId", id="other session token"),
            pytest.param(query("Credential", credential(service="s3")), {}, "SignatureDoesNotMatch", id="service"),
            pytest.param(query("Credential", credential(region="x")), {}, "SignatureDoesNotMatch", id="region"),
            pytest.param(query("Credential", credential(day="20261123")), {}, "SignatureDoesNotMatch", id="other day"),
            pytest.param(query("Algorithm", "AWS4-HMAC-MD5"), {}, "IncompleteSignature", id="other algorithm"),
            pytest.param(query("Date", "20261124T114459Z"), {}, "SignatureDoesNotMatch", id="expired"),
            pytest.param(query("Date", "20261124T121501Z"), {}, "SignatureDoesNotMatch", id="in the future"),
            pytest.param(query("Date", "today"), {}, "IncompleteSignature", id="invalid date"),
            pytest.param(query("SignedHeaders", "x-k8s-aws-id"), {}, "SignatureDoesNotMatch", id="host not signed"),
            pytest.param(query().replace("ASIA1%2F", ""), {}, "IncompleteSignature", id="short scope"),
            pytest.param(query().replace("aws4_request", "e"), {}, "IncompleteSignature", id="wrong scope"),
            pytest.param(
                query().replace("aws4_request", "aws4_request%2Fe"), {}, "IncompleteSignature", id="long scope"
            ),
            pytest.param(query(), {"x-k8s-aws-id": "gpu-b"}, "SignatureDoesNotMatch", id="another cluster"),
            pytest.param(query(), {"x-k8s-aws-id": ""}, "SignatureDoesNotMatch", id="no cluster"),
            pytest.param(query(), {"host": "sts.eu-west-2.amazonaws.com"}, "SignatureDoesNotMatch", id="another host"),
            pytest.param(query().replace("Expires=60", "Expires=61"), {}, "SignatureDoesNotMatch", id="tampered"),
            pytest.param(query() + "&Version=2011-06-15", {}, "IncompleteSignature", id="repeated"),
        ],
    )
    def test_invalid_request_is_rejected(self, text: str, headers: dict[str, str], code: str) -> None:
        """The signature covers every parameter and the signed headers, and the scope and the date must match."""
        with pytest.raises(StsError) as error:
            verify(text, SESSION, **headers)

        assert error.value.code == code

    def test_expired_session_is_rejected(self) -> None:
        """A session's credentials are rejected when it has expired."""
        with pytest.raises(StsError) as error:
            verify(query(), replace(SESSION, expiration=NOW))

        assert error.value.code == "ExpiredToken"


def test_only_presigned_identity_requests_match() -> None:
    """Presigned requests of other actions or services, such as S3's, are left to moto."""
    others = ("", "Action=GetCallerIdentity", "X-Amz-Signature=1&Action=GetObject", "%ff")

    assert [is_presigned_identity_request(text) for text in (query(), *others)] == [True, False, False, False, False]
