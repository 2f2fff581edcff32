"""The client-credentials grant, by RFC 6749."""

from __future__ import annotations

import base64
from urllib.parse import quote_plus, urlencode

import pytest

from infra.local.client_credentials import FORM, Application, Grant, OAuthError, granted

APPLICATIONS = {
    "ci": Application("s3cret:+", groups=("team-a",), scope="jobs.read jobs.write"),
    "open": Application(""),
}
GRANT = {"grant_type": "client_credentials"}
POST = {**GRANT, "client_id": "ci", "client_secret": "s3cret:+"}


def basic(client_id: str, secret: str) -> str:
    """An Authorization header as section 2.3.1 wants it."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def ask(form: dict[str, str] | str, authorization: str | None = None, content_type: str = FORM) -> Grant:
    """What a request may have."""
    body = form if isinstance(form, str) else urlencode(form)
    return granted(APPLICATIONS, authorization, content_type, body.encode())


class TestGranted:
    """Requests that are granted."""

    @pytest.mark.parametrize(
        ("form", "authorization", "scope"),
        [
            pytest.param(GRANT, basic("ci", "s3cret:+"), "jobs.read jobs.write", id="client_secret_basic"),
            pytest.param(POST, None, "jobs.read jobs.write", id="client_secret_post"),
            pytest.param({**POST, "scope": "jobs.read"}, None, "jobs.read", id="less than it may have"),
        ],
    )
    def test_secret_may_come_either_way(self, form: dict[str, str], authorization: str | None, scope: str) -> None:
        """Form-encoded inside of the header's base64, or in the body; a client may ask for less than it may have."""
        assert ask(form, authorization, FORM + "; charset=utf-8") == Grant("ci", scope)


class TestRefused:
    """Requests that are not, with the codes of section 5.2."""

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
            pytest.param(POST, basic("ci", "s3cret:+"), "invalid_request", id="both ways"),
            pytest.param({**POST, "scope": "jobs.read admin"}, None, "invalid_scope", id="scope not allowed"),
            pytest.param(urlencode(POST) + "&client_id=ci", None, "invalid_request", id="twice"),
            pytest.param("grant_type=%ff", None, "invalid_request", id="not UTF-8"),
            pytest.param("&".join(f"a{n}=1" for n in range(50)), None, "invalid_request", id="many parameters"),
        ],
    )
    def test_code_says_why(self, form: dict[str, str] | str, authorization: str | None, code: str) -> None:
        """Clients act upon it. Who used the header is told the scheme; no refusal, which logs keep, has the secret."""
        with pytest.raises(OAuthError) as refusal:
            ask(form, authorization)

        assert refusal.value.code == code
        assert refusal.value.status == (401 if code == "invalid_client" else 400)
        assert refusal.value.challenge is (code == "invalid_client" and authorization is not None)
        assert "almost" not in refusal.value.description

    def test_body_must_be_a_form(self) -> None:
        """JSON is a common mistake."""
        with pytest.raises(OAuthError, match="x-www-form-urlencoded"):
            ask(POST, content_type="application/json")
