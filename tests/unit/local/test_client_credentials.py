"""The client-credentials grant of RFC 6749."""

from __future__ import annotations

import base64
from urllib.parse import quote_plus, urlencode

import pytest

from infra.local.client_credentials import FORM, Application, Grant, OAuthError, authorize_client

APPLICATIONS = {
    "ci": Application("s3cret:+", groups=("team-a",), scope="jobs.read jobs.write"),
    "open": Application(""),
}
GRANT = {"grant_type": "client_credentials"}
POST = {**GRANT, "client_id": "ci", "client_secret": "s3cret:+"}


def basic(client_id: str, secret: str) -> str:
    """Return an Authorization header as section 2.3.1 describes it."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def request_grant(form: dict[str, str] | str, authorization: str | None = None, content_type: str = FORM) -> Grant:
    """Return the grant for a request."""
    body = form if isinstance(form, str) else urlencode(form)
    return authorize_client(APPLICATIONS, authorization, content_type, body.encode())


class TestAuthorizeClient:
    """Valid requests."""

    @pytest.mark.parametrize(
        ("form", "authorization", "scope"),
        [
            pytest.param(GRANT, basic("ci", "s3cret:+"), "jobs.read jobs.write", id="client_secret_basic"),
            pytest.param(POST, None, "jobs.read jobs.write", id="client_secret_post"),
            pytest.param({**POST, "scope": "jobs.read"}, None, "jobs.read", id="fewer scopes"),
        ],
    )
    def test_both_authentication_methods_work(
        self, form: dict[str, str], authorization: str | None, scope: str
    ) -> None:
        """The secret may be in the header or in the body, and a client may request fewer scopes than it is allowed."""
        assert request_grant(form, authorization, FORM + "; charset=utf-8") == Grant("ci", scope)


class TestErrors:
    """Invalid requests, with the error codes of section 5.2."""

    @pytest.mark.parametrize(
        ("form", "authorization", "code"),
        [
            pytest.param({}, None, "invalid_request", id="empty"),
            pytest.param({**POST, "grant_type": "password"}, None, "unsupported_grant_type", id="other grant"),
            pytest.param(GRANT, None, "invalid_client", id="no client"),
            pytest.param({**POST, "client_secret": "almost"}, None, "invalid_client", id="wrong secret"),
            pytest.param({**POST, "client_id": "x"}, None, "invalid_client", id="unknown client"),
            pytest.param({**GRANT, "client_id": "open"}, None, "invalid_client", id="client without a secret"),
            pytest.param(GRANT, basic("ci", "x"), "invalid_client", id="wrong secret in the header"),
            pytest.param(GRANT, "Basic *", "invalid_client", id="header is not base64"),
            pytest.param(GRANT, "Basic /w==", "invalid_client", id="header is not UTF-8"),
            pytest.param(GRANT, basic("ci", "s3cret:+").replace("Basic", "Bearer"), "invalid_client", id="Bearer"),
            pytest.param(POST, basic("ci", "s3cret:+"), "invalid_request", id="two authentication methods"),
            pytest.param({**POST, "scope": "jobs.read admin"}, None, "invalid_scope", id="scope not allowed"),
            pytest.param(urlencode(POST) + "&client_id=ci", None, "invalid_request", id="repeated parameter"),
            pytest.param("grant_type=%ff", None, "invalid_request", id="not UTF-8"),
            pytest.param("&".join(f"a{n}=1" for n in range(50)), None, "invalid_request", id="many parameters"),
        ],
    )
    def test_error_code_tells_the_cause(self, form: dict[str, str] | str, authorization: str | None, code: str) -> None:
        """The error code tells the cause; it has a challenge after a failed header, and never contains the secret."""
        with pytest.raises(OAuthError) as error:
            request_grant(form, authorization)

        assert error.value.code == code
        assert error.value.status == (401 if code == "invalid_client" else 400)
        assert error.value.challenge is (code == "invalid_client" and authorization is not None)
        assert "almost" not in error.value.description

    def test_body_must_be_a_form(self) -> None:
        """A JSON body is rejected with the expected content type."""
        with pytest.raises(OAuthError, match="x-www-form-urlencoded"):
            request_grant(POST, content_type="application/json")
