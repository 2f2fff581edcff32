"""AWS STS: the request for a session, the credentials that sign it, and the translation of errors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest
from botocore.utils import ContainerMetadataFetcher

from chalicelib.adapters.aws.sts import MAX_RESPONSE, Sts, own_credentials
from chalicelib.adapters.http import pool
from chalicelib.deadline import Deadline
from chalicelib.domain.errors import CredentialsUnavailable
from infra.local.wire import HttpResponse
from infra.localcluster.certificates import server_identity
from tests.support.scripted_server import FAR_DEADLINE, Clock, RawServer, ScriptedServer, json_reply, unused_url

if TYPE_CHECKING:
    from chalicelib.adapters.aws.sts import Session

PARAMETERS = {
    "RoleArn": "arn:aws:iam::123456789012:role/researcher-api",
    "RoleSessionName": "list_jobs",
    "ExternalId": "x1",
}
REDIRECT = HttpResponse(307, [("Location", unused_url())])
OWN = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
UNREACHABLE = "AWS STS cannot be reached to assume the cluster's role. Try again later."
DENIED = (
    "AWS does not let this API assume the cluster's role. "
    "Report this to the operators of this API, with the X-Request-Id."
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set the credentials of a Lambda."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAOWN")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "own-session")
    return monkeypatch


def document(text: str, status: int = 200) -> HttpResponse:
    """Return a response of STS."""
    return HttpResponse(status, [("Content-Type", "text/xml")], text.encode())


def session_reply(ends: str = "2099-01-01T00:00:00Z") -> HttpResponse:
    """Return a response with a session."""
    parts = {"AccessKeyId": "id", "SecretAccessKey": "s+/=", "SessionToken": "t", "Expiration": ends}
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in parts.items())
    return document(
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
        f"<Credentials>{inside}</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )


def error_reply(code: str, status: int = 403) -> HttpResponse:
    """Return an error response of STS."""
    return document(f"<ErrorResponse><Error><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>", status)


def session(endpoint: str, deadline: Deadline = FAR_DEADLINE) -> Session:
    """Request a session from the STS at *endpoint*."""
    return Sts("eu-west-1", endpoint + "/", pool.pool()).assume_role(PARAMETERS, deadline)


def session_error(endpoint: str, deadline: Deadline = FAR_DEADLINE) -> CredentialsUnavailable:
    """Return the error of a request for a session."""
    with pytest.raises(CredentialsUnavailable) as error:
        session(endpoint, deadline)
    return error.value


class TestAssumeRole:
    """Requesting a session of the cluster's role."""

    def test_request_is_signed(self, site: ScriptedServer) -> None:
        """Role, session name and ExternalId are in the body, which is signed with the current date."""
        site.on("/", session_reply())

        Sts("eu-west-1", site.url + "/", pool.pool(), Clock(1_795_600_000)).assume_role(PARAMETERS, FAR_DEADLINE)

        (request,) = site.requests
        assert request.values("X-Amz-Date") == ["20261125T094640Z"]
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        (authorization,) = request.values("Authorization")
        assert (request.method, form) == ("POST", {"Action": "AssumeRole", "Version": "2011-06-15", **PARAMETERS})
        assert authorization.startswith("AWS4-HMAC-SHA256 Credential=ASIAOWN/")
        assert "/eu-west-1/sts/aws4_request, SignedHeaders=content-type;host;" in authorization
        assert request.values("X-Amz-Security-Token") == ["own-session"]

    def test_session_is_read_from_the_response(self, site: ScriptedServer) -> None:
        """The session has credentials and an expiration."""
        site.on("/", session_reply())

        found = session(site.url)

        credentials = found.credentials
        assert (credentials.access_key, credentials.secret_key, credentials.token) == ("id", "s+/=", "t")
        assert found.ends == datetime(2099, 1, 1, tzinfo=UTC).timestamp()

    def test_server_error_is_retried_once(self, site: ScriptedServer) -> None:
        """A second attempt succeeds after a server error."""
        site.on("/", error_reply("InternalFailure", 500), session_reply())

        assert session(site.url).credentials.access_key == "id"
        assert len(site.requests) == 2


class TestErrors:
    """Requests without a session."""

    @pytest.mark.parametrize("code", ["Throttling", "ThrottlingException", "RequestLimitExceeded"])
    def test_throttled(self, site: ScriptedServer, code: str) -> None:
        """Throttling has a Retry-After."""
        site.on("/", error_reply(code, 400))

        found = session_error(site.url)

        assert (found.retry_after, found.detail) == (5, "AWS STS throttles this API. Try again later.")

    @pytest.mark.parametrize(
        "reply", [error_reply("AccessDenied"), document("<html>", 403), json_reply({}, 400), REDIRECT]
    )
    def test_denied(self, site: ScriptedServer, reply: HttpResponse) -> None:
        """The error is for the operators and not retried. A redirect would forward the signed request."""
        site.on("/", reply)

        found = session_error(site.url)

        assert (found.retry_after, found.detail) == (None, DENIED)
        assert len(site.requests) == 1

    @pytest.mark.parametrize(
        "reply",
        [
            error_reply("InternalFailure", 500),
            document(""),
            document("<AssumeRoleResponse/>"),
            document("<html><p>"),
            document("<Credentials><AccessKeyId>id</AccessKeyId></Credentials>"),
            session_reply(ends="soon"),
            HttpResponse(200, [], b"x" * (MAX_RESPONSE + 1)),
        ],
        ids=["server error", "empty", "no credentials", "HTML", "incomplete", "invalid time", "too large"],
    )
    def test_unusable_response(self, site: ScriptedServer, reply: HttpResponse) -> None:
        """A server error or an unusable response is an unreachable STS."""
        site.on("/", reply)

        assert (session_error(site.url).detail, session_error(site.url).retry_after) == (UNREACHABLE, 5)

    def test_untrusted_certificate(self) -> None:
        """A certificate error is not retried and has no Retry-After."""
        with ScriptedServer(server_identity().context) as imposter:
            found = session_error(imposter.url)

            assert imposter.requests == []

        assert found.detail.startswith("The TLS certificate of AWS STS cannot be verified. Report this")
        assert (found.retry_after, found.why) == (None, "sts: tls_verification_unknown_authority")

    def test_log_has_the_reason(self, site: ScriptedServer) -> None:
        """The log has one of a fixed list of reasons, and no text of STS."""
        site.on("/", error_reply("InternalFailure", 500), error_reply("InternalFailure", 502), document("<html>"))

        assert session_error(site.url).why == "sts: status_502"
        assert session_error(site.url).why == "sts: invalid_response"
        absent = session_error(unused_url())
        assert (absent.why, absent.detail, absent.retry_after) == ("sts: connect_failed", UNREACHABLE, 5)
        assert session_error(site.url, Deadline(0.0)).why == "sts: read_timeout"

    @pytest.mark.parametrize(
        ("reply", "why"),
        [
            (error_reply("AccessDenied", 403), "access_denied"),
            (error_reply("RegionDisabledException", 403), "region_disabled"),
            (error_reply("Throttling", 400), "throttled"),
            (error_reply("RequestLimitExceeded", 503), "throttled"),
            (error_reply("ExpiredToken", 403), "expired_credentials"),
            (error_reply("InvalidClientTokenId", 403), "invalid_credentials"),
            (error_reply("SignatureDoesNotMatch", 403), "invalid_credentials"),
            (error_reply("arn:aws:iam::1:role/secret", 400), "status_400"),
            (document("<html>Proxy authentication required", 407), "status_407"),
            (REDIRECT, "status_307"),
            (HttpResponse(503, [], b"no healthy upstream"), "status_503"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_log_has_the_reason_of_an_error_response(self, site: ScriptedServer, reply: HttpResponse, why: str) -> None:
        """AWS's code selects one of a fixed list of reasons; another response, as of a proxy, has its status."""
        site.on("/", reply)

        assert session_error(site.url).why == f"sts: {why}"

    def test_deadline_is_respected(self) -> None:
        """A server that does not respond is abandoned at the deadline, and after the deadline no request is sent."""
        with RawServer([b""], pause=60) as silent:
            deadline = Deadline.after(0.2)

            assert session_error(silent.url, deadline).detail == UNREACHABLE
            assert not deadline.remaining
            connections = silent.connections
            assert session_error(silent.url, Deadline(0.0)).detail == UNREACHABLE
            assert silent.connections == connections


class TestOwnCredentials:
    """The credentials of the function."""

    def test_are_read_from_the_endpoint_after_a_restore(
        self, site: ScriptedServer, environment: pytest.MonkeyPatch
    ) -> None:
        """A function that SnapStart restored has none in its environment."""
        keys = {"AccessKeyId": "ASIARESTORED", "SecretAccessKey": "s", "Token": "t"}
        site.on("/credentials", json_reply({**keys, "Expiration": "2099-01-01T00:00:00Z"}))
        for name in OWN:
            environment.delenv(name)
        environment.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{site.url}/credentials")
        environment.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "pass")

        assert own_credentials().access_key == "ASIARESTORED"
        assert site.requests[0].values("Authorization") == ["pass"]

    @pytest.mark.parametrize("names", [OWN, OWN[1:2]], ids=["none", "incomplete"])
    def test_missing_credentials(self, environment: pytest.MonkeyPatch, names: list[str]) -> None:
        """Missing credentials are an error of the deployment."""
        for name in names:
            environment.delenv(name)

        with pytest.raises(CredentialsUnavailable, match="no AWS credentials") as raised:
            own_credentials()

        assert raised.value.why == "sts: no_credentials"

    def test_unreachable_endpoint(self, environment: pytest.MonkeyPatch) -> None:
        """An endpoint that does not respond is an error that can be retried."""
        environment.delenv("AWS_ACCESS_KEY_ID")
        environment.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", unused_url())
        environment.setattr(ContainerMetadataFetcher, "SLEEP_TIME", 0)

        with pytest.raises(CredentialsUnavailable, match="cannot be reached"):
            own_credentials()
