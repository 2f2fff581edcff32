"""Who may assume a role."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from infra.local.presigned_sts import StsRefusal
from infra.local.sts_external_id import check_assume_role, trust_policy

ROLE = "arn:aws:iam::123456789012:role/researcher-api"
POLICIES = {
    ROLE: trust_policy("123456789012", "x1"),
    "open": '{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}',
    "closed": '{"Statement": [{"Effect": "Deny", "Action": "sts:AssumeRole"}]}',
    "empty": '{"Statement": []}',
}
SIGNED = (
    "AWS4-HMAC-SHA256 Credential=local/20261124/eu-west-1/sts/aws4_request, "
    "SignedHeaders=content-type;host;x-amz-date, Signature=" + "0" * 64
)
ASK = {"Action": "AssumeRole", "RoleArn": ROLE, "RoleSessionName": "s", "ExternalId": "x1"}


def check(form: dict[str, str] | str, query: str = "", authorization: str | None = SIGNED) -> None:
    """Checks a request with *form* as its body."""
    body = form if isinstance(form, str) else urlencode(form)
    check_assume_role(query, body, authorization, POLICIES.get)


class TestCheckAssumeRole:
    """The external id."""

    @pytest.mark.parametrize(
        ("form", "authorization"),
        [
            pytest.param(ASK, SIGNED, id="the role's external id"),
            pytest.param({"Action": "AssumeRole", "RoleArn": "open"}, SIGNED, id="a role without a condition"),
            pytest.param({"Action": "GetCallerIdentity"}, None, id="another action"),
            pytest.param("\xff\x00", SIGNED, id="no form"),
        ],
    )
    def test_right_request_is_let_through(self, form: dict[str, str] | str, authorization: str | None) -> None:
        """Other actions are moto's, signed or not."""
        check(form, authorization=authorization)

    @pytest.mark.parametrize(
        "form",
        [
            pytest.param({**ASK, "ExternalId": "x2"}, id="wrong external id"),
            pytest.param({name: ASK[name] for name in ("Action", "RoleArn")}, id="no external id"),
            pytest.param({**ASK, "RoleArn": ROLE + "2"}, id="no such role"),
            pytest.param({"Action": "AssumeRole"}, id="no role"),
            pytest.param({**ASK, "RoleArn": "closed"}, id="denied"),
            pytest.param({**ASK, "RoleArn": "empty"}, id="empty policy"),
            pytest.param({**ASK, "Action": "AssumeRoleWithWebIdentity"}, id="web identity"),
            pytest.param({**ASK, "Action": "AssumeRoleWithSAML"}, id="SAML"),
            pytest.param(urlencode(ASK) + "&ExternalId=x1", id="twice"),
        ],
    )
    def test_everything_else_is_denied(self, form: dict[str, str] | str) -> None:
        """A role that is not there and one that does not trust us are told alike."""
        with pytest.raises(StsRefusal) as refusal:
            check(form)

        assert refusal.value.code == "AccessDenied"

    def test_query_counts_as_well(self) -> None:
        """The protocol allows both, so both are looked at."""
        with pytest.raises(StsRefusal):
            check("", query=urlencode({**ASK, "ExternalId": "x2"}))

    @pytest.mark.parametrize("authorization", [None, "", "Bearer x", SIGNED.replace("/sts/", "/s3/"), SIGNED[:-1]])
    def test_unsigned_request_is_refused(self, authorization: str | None) -> None:
        """AssumeRole is never anonymous."""
        with pytest.raises(StsRefusal) as refusal:
            check(ASK, authorization=authorization)

        assert refusal.value.code == "MissingAuthenticationToken"
