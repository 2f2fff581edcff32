"""AWS STS: what is asked, by whose credentials, and what its answers and its silence mean."""

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

ASKED = {"RoleArn": "arn:aws:iam::123456789012:role/researcher-api", "RoleSessionName": "list_jobs", "ExternalId": "x1"}
ELSEWHERE = HttpResponse(307, [("Location", unused_url())])
OWN = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
UNREACHABLE = "AWS STS cannot be reached to assume the cluster's role. Try again later."
REFUSED = (
    "AWS does not let this API assume the cluster's role. "
    "Report this to the operators of this API, with the X-Request-Id."
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A Lambda's credentials."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAOWN")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "own-session")
    return monkeypatch


def document(text: str, status: int = 200) -> HttpResponse:
    """An answer of STS."""
    return HttpResponse(status, [("Content-Type", "text/xml")], text.encode())


def given(ends: str = "2099-01-01T00:00:00Z") -> HttpResponse:
    """A session."""
    parts = {"AccessKeyId": "id", "SecretAccessKey": "s+/=", "SessionToken": "t", "Expiration": ends}
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in parts.items())
    return document(
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
        f"<Credentials>{inside}</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )


def refusal(code: str, status: int = 403) -> HttpResponse:
    """STS says no."""
    return document(f"<ErrorResponse><Error><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>", status)


def session(endpoint: str, deadline: Deadline = FAR_DEADLINE) -> Session:
    """What the STS at *endpoint* gives."""
    return Sts("eu-west-1", endpoint + "/", pool.pool()).assume_role(ASKED, deadline)


def refused(endpoint: str, deadline: Deadline = FAR_DEADLINE) -> CredentialsUnavailable:
    """Why it gives nothing."""
    with pytest.raises(CredentialsUnavailable) as error:
        session(endpoint, deadline)
    return error.value


class TestAssumeRole:
    """A session of the cluster's role."""

    def test_is_asked_for_by_our_own_signature(self, site: ScriptedServer) -> None:
        """Role, session and ExternalId in the body, which the signature of this second covers."""
        site.on("/", given())

        Sts("eu-west-1", site.url + "/", pool.pool(), Clock(1_795_600_000)).assume_role(ASKED, FAR_DEADLINE)

        (asked,) = site.asked
        assert asked.values("X-Amz-Date") == ["20261125T094640Z"]
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        (authorization,) = asked.values("Authorization")
        assert (asked.method, form) == ("POST", {"Action": "AssumeRole", "Version": "2011-06-15", **ASKED})
        assert authorization.startswith("AWS4-HMAC-SHA256 Credential=ASIAOWN/")
        assert "/eu-west-1/sts/aws4_request, SignedHeaders=content-type;host;" in authorization
        assert asked.values("X-Amz-Security-Token") == ["own-session"]

    def test_is_read_from_the_answer(self, site: ScriptedServer) -> None:
        """With the moment at which it ends."""
        site.on("/", given())

        found = session(site.url)

        credentials = found.credentials
        assert (credentials.access_key, credentials.secret_key, credentials.token) == ("id", "s+/=", "t")
        assert found.ends == datetime(2099, 1, 1, tzinfo=UTC).timestamp()

    def test_is_asked_for_again_once(self, site: ScriptedServer) -> None:
        """A fault of theirs may pass."""
        site.on("/", refusal("InternalFailure", 500), given())

        assert session(site.url).credentials.access_key == "id"
        assert len(site.asked) == 2


class TestRefusals:
    """No session."""

    @pytest.mark.parametrize("code", ["Throttling", "ThrottlingException", "RequestLimitExceeded"])
    def test_throttled(self, site: ScriptedServer, code: str) -> None:
        """A pause, then it works again."""
        site.on("/", refusal(code, 400))

        found = refused(site.url)

        assert (found.retry_after, found.detail) == (5, "AWS STS throttles this API. Try again later.")

    @pytest.mark.parametrize(
        "reply", [refusal("AccessDenied"), document("<html>", 403), json_reply({}, 400), ELSEWHERE]
    )
    def test_denied(self, site: ScriptedServer, reply: HttpResponse) -> None:
        """For whoever deployed the API; trying again is of no use. A redirect would take our signed request with it."""
        site.on("/", reply)

        found = refused(site.url)

        assert (found.retry_after, found.detail) == (None, REFUSED)
        assert len(site.asked) == 1

    @pytest.mark.parametrize(
        "reply",
        [
            refusal("InternalFailure", 500),
            document(""),
            document("<AssumeRoleResponse/>"),
            document("<html><p>"),
            document("<Credentials><AccessKeyId>id</AccessKeyId></Credentials>"),
            given(ends="soon"),
            HttpResponse(200, [], b"x" * (MAX_RESPONSE + 1)),
        ],
        ids=["fault", "empty", "nothing given", "a page", "half of them", "odd time", "too large"],
    )
    def test_useless_answer(self, site: ScriptedServer, reply: HttpResponse) -> None:
        """As if nobody had answered."""
        site.on("/", reply)

        assert (refused(site.url).detail, refused(site.url).retry_after) == (UNREACHABLE, 5)

    def test_untrusted_certificate(self) -> None:
        """Is tried once, and does not pass by waiting."""
        with ScriptedServer(server_identity().context) as imposter:
            found = refused(imposter.url)

            assert imposter.asked == []

        assert found.detail.startswith("The TLS certificate of AWS STS cannot be verified. Report this")
        assert (found.retry_after, found.why) == (None, "sts: tls_verification")

    def test_say_why_in_the_log(self, site: ScriptedServer) -> None:
        """A closed list of words, and nothing that STS said."""
        site.on("/", refusal("InternalFailure", 500), refusal("InternalFailure", 502), document("<html>"))

        assert refused(site.url).why == "sts: status_502"
        assert refused(site.url).why == "sts: invalid_response"
        absent = refused(unused_url())
        assert (absent.why, absent.detail, absent.retry_after) == ("sts: connect_failed", UNREACHABLE, 5)
        assert refused(site.url, Deadline(0.0)).why == "sts: read_timeout"

    def test_no_longer_than_the_request(self) -> None:
        """A server that says nothing is not waited for beyond the caller's deadline, and nobody is asked after it."""
        with RawServer([b""], pause=60) as silent:
            deadline = Deadline.after(0.2)

            assert refused(silent.url, deadline).detail == UNREACHABLE
            assert not deadline.remaining
            asked = silent.connections
            assert refused(silent.url, Deadline(0.0)).detail == UNREACHABLE
            assert silent.connections == asked


class TestOwnCredentials:
    """Who the function is."""

    def test_come_from_lambda_when_it_is_asked(self, site: ScriptedServer, environment: pytest.MonkeyPatch) -> None:
        """A function that started from a snapshot has none in its environment."""
        keys = {"AccessKeyId": "ASIARESTORED", "SecretAccessKey": "s", "Token": "t"}
        site.on("/credentials", json_reply({**keys, "Expiration": "2099-01-01T00:00:00Z"}))
        for name in OWN:
            environment.delenv(name)
        environment.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{site.url}/credentials")
        environment.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "pass")

        assert own_credentials().access_key == "ASIARESTORED"
        assert site.asked[0].values("Authorization") == ["pass"]

    @pytest.mark.parametrize("names", [OWN, OWN[1:2]], ids=["none", "half of them"])
    def test_may_be_missing(self, environment: pytest.MonkeyPatch, names: list[str]) -> None:
        """A mistake of the deployment, told as one."""
        for name in names:
            environment.delenv(name)

        with pytest.raises(CredentialsUnavailable, match="no AWS credentials"):
            own_credentials()

    def test_may_be_out_of_reach(self, environment: pytest.MonkeyPatch) -> None:
        """Lambda does not answer, however often botocore asks."""
        environment.delenv("AWS_ACCESS_KEY_ID")
        environment.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", unused_url())
        environment.setattr(ContainerMetadataFetcher, "SLEEP_TIME", 0)

        with pytest.raises(CredentialsUnavailable, match="cannot be reached"):
            own_credentials()
