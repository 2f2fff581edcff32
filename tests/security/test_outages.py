"""Credentials and certificates that expire, change or are unavailable: success, or a stable error code."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.aws import eks_tokens, sigv4
from chalicelib.adapters.kubernetes import circuit_breaker
from chalicelib.adapters.kubernetes import cluster as cluster_adapter
from chalicelib.settings import settings
from infra.local.http_server import LoopbackServer
from infra.local.local_stack import Stack
from infra.local.wire import HttpResponse
from infra.localcluster.certificates import Shape, server_identity
from tests.security.hostile_tokens import bearer
from tests.security.scripted_faults import ScriptedCluster
from tests.security.sending import problem, send_raw
from tests.support.configuration import configuration_file
from tests.support.eventually import eventually
from tests.support.scripted_server import FAR_DEADLINE, ScriptedServer, unused_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.localcluster.cluster import EmbeddedCluster
    from tests.cluster.real_cluster import RealCluster
    from tests.support.attack_recorder import Counter

    AnyCluster = EmbeddedCluster | RealCluster
    ProxiedStack = Stack[ScriptedCluster[AnyCluster]]

pytestmark = pytest.mark.attack("outages")

PATH = "/jobs/team-a"
UNKNOWN_AUTHORITY = "tls_verification_unknown_authority"


def sts_error(code: str, status: int) -> HttpResponse:
    """Return an error response of STS."""
    text = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>arn:x</Message></Error></ErrorResponse>"
    )
    return HttpResponse(status, [("Content-Type", "text/xml")], text.encode())


STS = {
    "throttled": sts_error("RequestLimitExceeded", 503),
    "denied": sts_error("AccessDenied", 403),
    "the session of the function has expired": sts_error("ExpiredTokenException", 403),
    "an unknown code": sts_error("Teapot", 418),
    "a proxy's page": HttpResponse(503, [("Content-Type", "text/html")], b"<html><p>unavailable"),
    "an empty body": HttpResponse(200),
}
PERMANENT = {"denied", "the session of the function has expired", "an unknown code"}


@pytest.fixture(scope="module")
def stack(make_cluster: Callable[..., AnyCluster]) -> Iterator[ProxiedStack]:
    """Start the local cloud, with a proxy in front of the cluster whose certificate can be changed."""
    with Stack(lambda review: ScriptedCluster(make_cluster(review))) as stack:
        yield stack


@pytest.fixture(autouse=True)
def new_process() -> Iterator[None]:
    """Begin and end each test with the empty caches of a new process."""
    clear_caches()
    yield
    clear_caches()


def clear_caches() -> None:
    """Clear the caches of the process."""
    for cached in (settings, eks_tokens.connect, cluster_adapter.connect):
        cached.cache_clear()


def list_jobs(stack: ProxiedStack) -> HttpResponse:
    """List the Jobs of team-a as alice, and return the response."""
    return send_raw(stack, "GET", PATH, bearer(stack.issuer.mint("alice")))


class TestSts:
    """AWS STS, which issues the credentials of the cluster's role."""

    @pytest.mark.parametrize("case", STS)
    def test_error_has_a_stable_code(self, stack: ProxiedStack, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
        """Every STS error has one code and discloses nothing; permanent errors have no Retry-After."""
        with ScriptedServer() as sts:
            sts.on("/", STS[case])
            monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
            response = list_jobs(stack)

        assert (response.status, problem(response)["code"]) == (503, "credentials_unavailable")
        assert (response.header("Retry-After") is None) == (case in PERMANENT)
        assert b"arn:" not in response.body

    def test_connection_refused(self, stack: ProxiedStack, monkeypatch: pytest.MonkeyPatch, counter: Counter) -> None:
        """An STS endpoint that does not listen is reported soon."""
        monkeypatch.setenv("AWS_ENDPOINT_URL", unused_url())
        started = time.monotonic()

        response = list_jobs(stack)

        counter.measure("seconds without STS", round(time.monotonic() - started, 2))
        assert (response.status, problem(response)["code"]) == (503, "credentials_unavailable")


class TestAuthority:
    """The certificate authority of the cluster; it is part of the configuration, so a new one needs a deployment."""

    @pytest.fixture(params=[Shape(), Shape(key_usage=False, key_identifiers=False)], ids=["current", "minimal"])
    def other_endpoint(self, stack: ProxiedStack, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
        """Start the cluster at another URL with a certificate of another authority; yield URL and authority."""
        identity = server_identity(request.param)
        server = LoopbackServer(stack.cluster.proxy, context=identity.context)
        yield server.url, identity.ca_pem
        server.close()

    @pytest.mark.parametrize("path", [PATH, "/health?deep=true"])
    def test_unknown_authority_is_rejected(
        self,
        stack: ProxiedStack,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        other_endpoint: tuple[str, str],
        path: str,
    ) -> None:
        """An untrusted server gets no token; the caller gets no Retry-After, and the log has the reason."""
        assert list_jobs(stack).status == 200
        monkeypatch.setenv("CLUSTER_ENDPOINT", other_endpoint[0])
        clear_caches()
        capsys.readouterr()

        response = send_raw(stack, "GET", path, bearer(stack.issuer.mint("alice")))

        assert (response.status, problem(response)["code"]) == (503, "cluster_unavailable")
        assert problem(response)["detail"] == (
            "The TLS certificate of the cluster is not signed by a certificate authority that this API trusts. "
            "Report this to the operators of this API, with the X-Request-Id."
        )
        assert response.header("Retry-After") is None
        (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
        assert (line["code"], line["why"], line["attempts"]) == ("cluster_unavailable", UNKNOWN_AUTHORITY, 1)

    def test_old_and_new_authority(
        self, stack: ProxiedStack, monkeypatch: pytest.MonkeyPatch, other_endpoint: tuple[str, str]
    ) -> None:
        """With the old and the new authority, the cluster may change its certificate at any time."""
        both = stack.configuration | {"clusterAuthorities": [stack.cluster.ca_pem, other_endpoint[1]]}
        monkeypatch.setenv("CONFIGURATION_FILE", configuration_file(**both))
        for url in (stack.cluster.url, other_endpoint[0], stack.cluster.url):
            monkeypatch.setenv("CLUSTER_ENDPOINT", url)
            settings.cache_clear()

            assert list_jobs(stack).status == 200


def test_token_expired_while_frozen(stack: ProxiedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was frozen until its token expired gets a new one after a 401; the request succeeds."""
    with monkeypatch.context() as past:
        past.setattr(sigv4, "gmtime", lambda now: time.gmtime(now - 1200))
        stale = eks_tokens.connect(settings()).token(FAR_DEADLINE)

    assert list_jobs(stack).status == 200
    assert eks_tokens.connect(settings()).token(FAR_DEADLINE) != stale


def test_circuit_breaker(stack: ProxiedStack, monkeypatch: pytest.MonkeyPatch, counter: Counter) -> None:
    """After five failed connections in a row responses are immediate; after a pause the same process tries again."""
    monkeypatch.setattr(circuit_breaker, "PAUSE", 5.0)
    assert list_jobs(stack).status == 200
    stack.cluster.proxy.inject("reset", 1 + circuit_breaker.FAILURES)  # the first one is of a kept connection
    statuses = [list_jobs(stack).status for _ in range(2)]

    started = time.monotonic()
    responses = [list_jobs(stack) for _ in range(20)]
    counter.measure("ms for a response while the breaker is open", round((time.monotonic() - started) * 1000 / 20, 1))

    assert statuses == [503] * 2
    assert {each.status for each in responses} == {503}
    assert all(int(each.header("Retry-After") or 0) > 0 for each in responses)
    assert eventually(lambda: list_jobs(stack).status, lambda status: status == 200)
