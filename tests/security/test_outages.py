"""Credentials and certificates that expire, change or cannot be had: nothing is shown, or a stable code."""

from __future__ import annotations

import base64
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
from tests.security.sending import problem, sent
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


def sts_refusal(code: str, status: int) -> HttpResponse:
    """STS's own error."""
    text = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>arn:x</Message></Error></ErrorResponse>"
    )
    return HttpResponse(status, [("Content-Type", "text/xml")], text.encode())


STS = {
    "throttled": sts_refusal("RequestLimitExceeded", 503),
    "denied": sts_refusal("AccessDenied", 403),
    "our own session has expired": sts_refusal("ExpiredTokenException", 403),
    "a code nobody knows": sts_refusal("Teapot", 418),
    "a proxy's page": HttpResponse(503, [("Content-Type", "text/html")], b"<html><p>unavailable"),
    "nothing": HttpResponse(200),
}
LASTING = {"denied", "our own session has expired", "a code nobody knows"}


@pytest.fixture(scope="module")
def stack(make_cluster: Callable[..., AnyCluster]) -> Iterator[ProxiedStack]:
    """The local cloud with a proxy before the cluster, whose certificate can be changed."""
    with Stack(lambda review: ScriptedCluster(make_cluster(review))) as stack:
        yield stack


@pytest.fixture(autouse=True)
def new_process() -> Iterator[None]:
    """Each test begins, and ends, with functions that know nothing yet."""
    forget()
    yield
    forget()


def forget() -> None:
    """What a new process does not know."""
    for cached in (settings, eks_tokens.connect, cluster_adapter.connect):
        cached.cache_clear()


def listed(stack: ProxiedStack) -> HttpResponse:
    """The answer to alice."""
    return sent(stack, "GET", PATH, bearer(stack.issuer.mint("alice")))


def authority(*pems: str) -> str:
    """CLUSTER_CA of these."""
    return base64.b64encode("".join(pems).encode()).decode()


class TestSts:
    """AWS STS, which gives the cluster's role."""

    @pytest.mark.parametrize("case", STS)
    def test_refusal_has_a_stable_code(self, stack: ProxiedStack, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
        """Whatever STS says, and nothing of what it says; what does not pass by itself names no time."""
        with ScriptedServer() as sts:
            sts.on("/", STS[case])
            monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
            answer = listed(stack)

        assert (answer.status, problem(answer)["code"]) == (503, "credentials_unavailable")
        assert (answer.header("Retry-After") is None) == (case in LASTING)
        assert b"arn:" not in answer.body

    def test_nobody_there(self, stack: ProxiedStack, monkeypatch: pytest.MonkeyPatch, counter: Counter) -> None:
        """Is told soon."""
        monkeypatch.setenv("AWS_ENDPOINT_URL", unused_url())
        started = time.monotonic()

        answer = listed(stack)

        counter.measured("seconds without STS", round(time.monotonic() - started, 2))
        assert (answer.status, problem(answer)["code"]) == (503, "credentials_unavailable")


class TestAuthority:
    """The cluster's certificate authority: it comes with the configuration, so a new one is a new deployment."""

    @pytest.fixture(params=[Shape(), Shape(key_usage=False, key_identifiers=False)], ids=["today's", "minimal"])
    def another(self, stack: ProxiedStack, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
        """The cluster at another address with a certificate of another authority, of each shape: both."""
        identity = server_identity(request.param)
        server = LoopbackServer(stack.cluster.proxy, context=identity.context)
        yield server.url, identity.ca_pem
        server.close()

    @pytest.mark.parametrize("path", [PATH, "/health?deep=true"])
    def test_unknown_authority_is_refused(
        self,
        stack: ProxiedStack,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        another: tuple[str, str],
        path: str,
    ) -> None:
        """Whoever answers there gets no token; the caller is not told to try again, and the log says why."""
        assert listed(stack).status == 200
        monkeypatch.setenv("CLUSTER_ENDPOINT", another[0])
        forget()
        capsys.readouterr()

        answer = sent(stack, "GET", path, bearer(stack.issuer.mint("alice")))

        assert (answer.status, problem(answer)["code"]) == (503, "cluster_unavailable")
        assert problem(answer)["detail"] == (
            "The TLS certificate of the cluster is not signed by a certificate authority that this API trusts. "
            "Report this to the operators of this API, with the X-Request-Id."
        )
        assert answer.header("Retry-After") is None
        (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
        assert (line["code"], line["why"], line["attempts"]) == ("cluster_unavailable", "tls_verification", 1)

    def test_old_and_new_together(
        self, stack: ProxiedStack, monkeypatch: pytest.MonkeyPatch, another: tuple[str, str]
    ) -> None:
        """CLUSTER_CA may hold several: deployed before the cluster changes over, it works on both sides."""
        monkeypatch.setenv("CLUSTER_CA", authority(stack.cluster.ca_pem, another[1]))
        for url in (stack.cluster.url, another[0], stack.cluster.url):
            monkeypatch.setenv("CLUSTER_ENDPOINT", url)
            settings.cache_clear()

            assert listed(stack).status == 200


def test_process_that_was_frozen(stack: ProxiedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """For longer than its token lives: the cluster refuses that, a new one is made, and the caller sees nothing."""
    with monkeypatch.context() as past:
        past.setattr(sigv4, "gmtime", lambda now: time.gmtime(now - 1200))
        stale = eks_tokens.connect(settings()).token(FAR_DEADLINE)

    assert listed(stack).status == 200
    assert eks_tokens.connect(settings()).token(FAR_DEADLINE) != stale


def test_dead_cluster_is_not_asked_by_everybody(
    stack: ProxiedStack, monkeypatch: pytest.MonkeyPatch, counter: Counter
) -> None:
    """After five failures in a row the answer comes at once; after the pause the same process finds it again."""
    monkeypatch.setattr(circuit_breaker, "PAUSE", 5.0)
    assert listed(stack).status == 200
    stack.cluster.proxy.meet("reset", circuit_breaker.FAILURES)
    first = [listed(stack).status for _ in range(2)]

    started = time.monotonic()
    quick = [listed(stack) for _ in range(20)]
    counter.measured("ms to answer while the breaker is open", round((time.monotonic() - started) * 1000 / 20, 1))

    assert first == [503] * 2
    assert {answer.status for answer in quick} == {503}
    assert all(int(answer.header("Retry-After") or 0) > 0 for answer in quick)
    assert eventually(lambda: listed(stack).status, lambda status: status == 200)
