"""Signatures of presigned requests, computed again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

import pytest

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


def query(name: str = "Algorithm", value: str = "AWS4-HMAC-SHA256") -> str:
    """A query whose X-Amz-*name* is *value*, signed as it stands."""
    pairs = list({**PAIRS, f"X-Amz-{name}": value}.items())
    scope = Scope.parse(dict(pairs)["X-Amz-Credential"])
    signed = ("X-Amz-Signature", signature(SESSION.secret_access_key, scope, pairs, HEADERS))
    return urlencode([*pairs, signed])


def verify(text: str, session: FakeSession | None = SESSION, **headers: str) -> str:
    """Whose the query is."""
    known = {session.access_key_id: session} if session else {}
    return verified_session(text, {**HEADERS, **headers}, known.get, NOW).arn


class TestVerifiedSession:
    """What STS takes."""

    def test_order_of_the_query_does_not_matter(self) -> None:
        """The canonical form is sorted. A session's end has no time zone, as moto keeps it, and is in UTC."""
        ending = replace(SESSION, expiration=datetime(2026, 11, 24, 12, 1))  # noqa: DTZ001 - the case
        assert verify(urlencode(parse_qsl(query())[::-1]), ending) == SESSION.arn

    @pytest.mark.parametrize(
        ("text", "headers", "code"),
        [
            pytest.param(query("Credential", credential(key="ASIA2")), {}, "InvalidClientTokenId", id="unknown key"),
            pytest.param(query("Security-Token", "other"), {}, "InvalidClientTokenId", id="other session token"),
            pytest.param(query("Credential", credential(service="s3")), {}, "SignatureDoesNotMatch", id="service"),
            pytest.param(query("Credential", credential(region="x")), {}, "SignatureDoesNotMatch", id="region"),
            pytest.param(query("Credential", credential(day="20261123")), {}, "SignatureDoesNotMatch", id="other day"),
            pytest.param(query("Algorithm", "AWS4-HMAC-MD5"), {}, "IncompleteSignature", id="other algorithm"),
            pytest.param(query("Date", "20261124T114459Z"), {}, "SignatureDoesNotMatch", id="old"),
            pytest.param(query("Date", "20261124T121501Z"), {}, "SignatureDoesNotMatch", id="from the future"),
            pytest.param(query("Date", "today"), {}, "IncompleteSignature", id="no date"),
            pytest.param(query("SignedHeaders", "x-k8s-aws-id"), {}, "SignatureDoesNotMatch", id="host not signed"),
            pytest.param(query().replace("ASIA1%2F", ""), {}, "IncompleteSignature", id="short scope"),
            pytest.param(query().replace("aws4_request", "e"), {}, "IncompleteSignature", id="odd scope"),
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
    def test_odd_request_is_refused(self, text: str, headers: dict[str, str], code: str) -> None:
        """A signature is not enough, and it covers every parameter and the signed headers."""
        with pytest.raises(StsRefusal) as refusal:
            verify(text, SESSION, **headers)

        assert refusal.value.code == code

    def test_expired_session_is_refused(self) -> None:
        """The credentials end with the session."""
        with pytest.raises(StsRefusal) as refusal:
            verify(query(), replace(SESSION, expiration=NOW))

        assert refusal.value.code == "ExpiredToken"


def test_only_a_signed_identity_request_is_one() -> None:
    """S3 has presigned requests, too; they are moto's."""
    others = ("", "Action=GetCallerIdentity", "X-Amz-Signature=1&Action=GetObject", "%ff")

    assert [is_presigned_identity_request(text) for text in (query(), *others)] == [True, False, False, False, False]
