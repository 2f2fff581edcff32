"""The ExternalId condition of AssumeRole."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from infra.local.presigned_sts import StsError
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
REQUEST = {"Action": "AssumeRole", "RoleArn": ROLE, "RoleSessionName": "s", "ExternalId": "x1"}


def check(form: dict[str, str] | str, query: str = "", authorization: str | None = SIGNED) -> None:
    """Check a request with *form* as its body."""
    body = form if isinstance(form, str) else urlencode(form)
    check_assume_role(query, body, authorization, POLICIES.get)


class TestCheckAssumeRole:
    """The external ID."""

    @pytest.mark.parametrize(
        ("form", "authorization"),
        [
            pytest.param(REQUEST, SIGNED, id="external ID of the role"),
            pytest.param({"Action": "AssumeRole", "RoleArn": "open"}, SIGNED, id="a role without a condition"),
            pytest.param({"Action": "GetCallerIdentity"}, None, id="another action"),
            pytest.param("\xff\x00", SIGNED, id="not a form"),
        ],
    )
    def test_valid_request_passes(self, form: dict[str, str] | str, authorization: str | None) -> None:
        """A correct request passes, and other actions are left to moto, signed or not."""
        check(form, authorization=authorization)

    @pytest.mark.parametrize(
        "form",
        [
            pytest.param({**REQUEST, "ExternalId": "x2"}, id="wrong external ID"),
            pytest.param({name: REQUEST[name] for name in ("Action", "RoleArn")}, id="no external ID"),
            pytest.param({**REQUEST, "RoleArn": ROLE + "2"}, id="no such role"),
            pytest.param({"Action": "AssumeRole"}, id="no role"),
            pytest.param({**REQUEST, "RoleArn": "closed"}, id="denied"),
            pytest.param({**REQUEST, "RoleArn": "empty"}, id="empty policy"),
            pytest.param({**REQUEST, "Action": "AssumeRoleWithWebIdentity"}, id="web identity"),
            pytest.param({**REQUEST, "Action": "AssumeRoleWithSAML"}, id="SAML"),
            pytest.param(urlencode(REQUEST) + "&ExternalId=x1", id="repeated parameter"),
        ],
    )
    def test_everything_else_is_denied(self, form: dict[str, str] | str) -> None:
        """A role that does not exist and one that does not trust the caller have the same error."""
        with pytest.raises(StsError) as error:
            check(form)

        assert error.value.code == "AccessDenied"

    def test_query_is_checked(self) -> None:
        """Parameters in the query are checked like those in the body."""
        with pytest.raises(StsError):
            check("", query=urlencode({**REQUEST, "ExternalId": "x2"}))

    @pytest.mark.parametrize("authorization", [None, "", "Bearer x", SIGNED.replace("/sts/", "/s3/"), SIGNED[:-1]])
    def test_unsigned_request_is_rejected(self, authorization: str | None) -> None:
        """AssumeRole without a valid signature is rejected."""
        with pytest.raises(StsError) as error:
            check(REQUEST, authorization=authorization)

        assert error.value.code == "MissingAuthenticationToken"
