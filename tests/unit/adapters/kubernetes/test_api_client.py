"""HTTP to the API server: requests, retries, the deadline and the circuit breaker."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.kubernetes import api_client
from chalicelib.adapters.kubernetes.api_client import ATTEMPTS, MAX_RESPONSE, READ_SECONDS
from chalicelib.adapters.kubernetes.api_request import ApiRequest, parameters
from chalicelib.adapters.kubernetes.circuit_breaker import FAILURES, PAUSE
from chalicelib.adapters.kubernetes.connection_pool import CONNECTIONS
from chalicelib.adapters.kubernetes.errors import ResponseTooLarge
from chalicelib.deadline import Deadline
from chalicelib.domain.errors import (
    REPORT_TO_OPERATORS,
    ClusterUnavailable,
    CredentialsUnavailable,
    DeadlineExceeded,
    NodeUnavailable,
)
from infra.local.wire import HttpResponse
from infra.localcluster.certificates import server_identity
from tests.support.fakes import FakeTokens
from tests.support.frozen_network import Death, FrozenNetwork
from tests.support.scripted_server import (
    FAR_DEADLINE,
    Clock,
    RawServer,
    ScriptedServer,
    api_at,
    json_reply,
    status_reply,
    unused_url,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.adapters.kubernetes.api_client import KubernetesApi

GET = ApiRequest("GET", "/api")
LOG = ApiRequest("GET", GET.path, is_proxied=True)
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
SUCCESS = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds of each `time.sleep`, which returns at once."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def send(api: KubernetesApi, request: ApiRequest = GET, seconds: float = 60.0) -> int:
    """Send *request* and return the status of its response."""
    return api.send(request, (), Deadline.after(seconds)).status


def fail(api: KubernetesApi, times: int) -> str | None:
    """Send *times* requests that fail, and return the reason of the last failure."""
    for _ in range(times):
        with pytest.raises(ClusterUnavailable) as raised:
            send(api)
    return raised.value.why


def open_connections(api: KubernetesApi, url: str, number: int) -> None:
    """Let the pool of *api* keep *number* connections to the server at *url*."""
    pool = api._pool  # noqa: SLF001 - a connection is only kept if another one was in use
    for response in [pool.request("GET", url + GET.path) for _ in range(number)]:
        response.drain_conn()


class TestSend:
    """One request and its response."""

    def test_request_is_sent(self, site: ScriptedServer) -> None:
        """Path, query and body are those of the request, with a token of the API."""
        request = ApiRequest(
            "POST", "/apis/batch/v1/jobs", (("dryRun", "All"), ("labelSelector", "a in (b,c)&x=1")), b'{"a":1}'
        )
        site.on(request.path, json_reply({}, 201))

        status = send(api_at(site.url), request)

        (sent,) = site.requests
        assert (status, sent.method, sent.path, sent.body) == (201, "POST", request.path, b'{"a":1}')
        assert sent.query == list(request.query)
        assert sent.values("Authorization") == ["Bearer token-1"]
        assert sent.values("Accept") == sent.values("Content-Type") == ["application/json"]

    def test_repeated_headers_are_sent_as_lines(self, site: ScriptedServer) -> None:
        """The API server does not split header values at commas."""
        lines = [("Impersonate-Group", "researcher:a,b"), ("Impersonate-Group", "researcher:c")]

        api_at(site.url).send(GET, iter(lines), Deadline.after(60))

        assert site.requests[0].values("Impersonate-Group") == ["researcher:a,b", "researcher:c"]

    def test_audit_id_is_the_request_id(self, site: ScriptedServer) -> None:
        """The Audit-ID header has the request id; without one the header is left out."""
        api_at(site.url).send(GET, (), Deadline(time.monotonic() + 60, "req-1"))
        send(api_at(site.url))

        assert [sent.values("Audit-ID") for sent in site.requests] == [["req-1"], []]

    def test_duration_of_each_attempt_is_recorded(self, site: ScriptedServer) -> None:
        """The deadline collects the durations for the request log, including failed attempts."""
        site.on("/api", json_reply({}, 503), json_reply({}, 200))
        deadline = Deadline.after(60)

        api_at(site.url).send(GET, (), deadline)
        with pytest.raises(ClusterUnavailable):
            api_at(unused_url()).send(GET, (), deadline)

        assert len(deadline.attempts) == 2 + ATTEMPTS
        assert all(0 < seconds < 60 for seconds in deadline.attempts)

    @pytest.mark.parametrize("status", [200, 201, 400, 403, 404, 409, 410, 415, 422])
    def test_other_statuses_are_not_retried(self, site: ScriptedServer, status: int) -> None:
        """The response is returned unchanged."""
        site.on("/api", status_reply(status, "jobs.batch not found"))

        response = api_at(site.url).send(GET, (), Deadline.after(60))

        assert (response.status, response.repeated, len(site.requests)) == (status, False, 1)
        assert b"jobs.batch not found" in response.body

    def test_redirect_is_not_followed(self, site: ScriptedServer) -> None:
        """The token is sent to the cluster only."""
        site.on("/api", HttpResponse(307, [("Location", site.url + "/other")]))

        assert send(api_at(site.url)) == 307
        assert site.at("/other") == []


class TestRetries:
    """Failures that may be temporary."""

    @pytest.mark.parametrize(
        ("statuses", "repeated"),
        [
            pytest.param([500, 200], True, id="500"),
            pytest.param([502, 200], True, id="502"),
            pytest.param([503, 200], True, id="503"),
            pytest.param([504, 404], True, id="504"),
            pytest.param([429, 404], False, id="throttled"),
            pytest.param([504, 429, 404], True, id="lost, then throttled"),
            pytest.param([401, 404], False, id="rejected token"),
        ],
    )
    def test_temporary_failure_is_retried(self, site: ScriptedServer, statuses: list[int], repeated: bool) -> None:
        """The last response is returned; it says whether an earlier attempt may have succeeded."""
        site.on("/api", *(json_reply({}, status) for status in statuses))

        response = api_at(site.url).send(GET, (), Deadline.after(60))

        assert (response.status, response.repeated) == (statuses[-1], repeated)

    def test_create_is_retried_unchanged(self, site: ScriptedServer) -> None:
        """The name is fixed, so a retry after a success gets 409 and creates no second Job."""
        create = ApiRequest("POST", "/jobs", (("fieldValidation", "Strict"),), b'{"metadata":{"name":"train-1"}}')
        site.on("/jobs", json_reply({}, 504), status_reply(409, reason="AlreadyExists"))

        response = api_at(site.url).send(create, (), Deadline.after(60))

        assert (response.status, response.repeated) == (409, True)
        assert site.requests[0] == site.requests[1]

    @pytest.mark.parametrize(
        "pieces",
        [
            pytest.param([], id="connection closed"),
            pytest.param([b"SSH-2.0-OpenSSH_9.6\r\n"], id="not HTTP"),
            pytest.param([ENDLESS, b"{"], id="incomplete body"),
        ],
    )
    def test_connection_that_is_closed(self, pieces: list[bytes]) -> None:
        """There are three attempts, each on a new connection, and then an error with Retry-After."""
        with RawServer(pieces) as server:
            with pytest.raises(ClusterUnavailable) as raised:
                send(api_at(server.url))

            assert server.connections == ATTEMPTS

        assert raised.value.detail == "The cluster cannot be reached. Try again later."
        assert (raised.value.retry_after, raised.value.why) == (1, "connection_closed")

    @pytest.mark.parametrize(
        ("url", "why"),
        [(unused_url(), "connect_failed"), ("https://cluster.invalid", "name_resolution")],
        ids=["refused", "unknown host"],
    )
    def test_connection_that_fails(self, pauses: list[float], url: str, why: str) -> None:
        """Attempts are repeated; the log distinguishes a refused connection from an unknown host."""
        with pytest.raises(ClusterUnavailable, match="cannot be reached") as raised:
            send(api_at(url))

        assert (len(pauses), raised.value.why) == (ATTEMPTS - 1, why)

    @pytest.mark.parametrize(("status", "header", "retry_after"), [(429, "7", 7), (503, "", 1)])
    def test_overloaded_cluster(self, site: ScriptedServer, status: int, header: str, retry_after: int) -> None:
        """After three attempts the error has the cluster's Retry-After; the log has the last status."""
        site.on("/api", json_reply({}, status, [("Retry-After", header)]))

        with pytest.raises(ClusterUnavailable) as raised:
            send(api_at(site.url))

        assert raised.value.detail == "The cluster is overloaded. Try again later."
        assert (raised.value.retry_after, raised.value.why) == (retry_after, f"status_{status}")
        assert len(site.requests) == ATTEMPTS


class TestPauses:
    """The pauses between attempts."""

    def test_exponential_backoff_with_jitter(self, site: ScriptedServer, pauses: list[float]) -> None:
        """Clients that failed together do not retry together."""
        site.on("/api", *[json_reply({}, 503), json_reply({}, 503), json_reply({})] * 8)
        api = api_at(site.url)

        for _ in range(8):
            send(api)

        first, second = pauses[::2], pauses[1::2]
        assert all(0.1 <= pause <= 0.3 for pause in first)
        assert all(0.2 <= pause <= 0.6 for pause in second)
        assert len(set(pauses)) == 16

    @pytest.mark.parametrize("status", [429, 503])
    def test_retry_after_is_respected(self, site: ScriptedServer, pauses: list[float], status: int) -> None:
        """Retry-After replaces the backoff."""
        site.on("/api", json_reply({}, status, [("Retry-After", "3")]), json_reply({}))

        send(api_at(site.url))

        assert pauses == [3.0]

    def test_retry_after_beyond_the_deadline(self, site: ScriptedServer, pauses: list[float]) -> None:
        """The request is not retried, and the caller gets the Retry-After."""
        site.on("/api", json_reply({}, 429, [("Retry-After", "30")]))

        with pytest.raises(ClusterUnavailable) as raised:
            send(api_at(site.url), seconds=20)

        assert (raised.value.retry_after, pauses, len(site.requests)) == (30, [], 1)

    @pytest.mark.parametrize("text", ["0", "-1", "1.5", "soon", "", "²", "100000", "Tue, 24 Nov 2026 10:00:00 GMT"])
    def test_invalid_retry_after(self, site: ScriptedServer, pauses: list[float], text: str) -> None:
        """An invalid value is ignored."""
        site.on("/api", json_reply({}, 503, [("Retry-After", text)]), json_reply({}))

        send(api_at(site.url))

        assert 0.1 <= pauses[0] <= 0.3


class TestTokens:
    """The bearer token."""

    def test_rejected_token_is_replaced(self, site: ScriptedServer, pauses: list[float]) -> None:
        """A new token is requested at once, and used for the next requests."""
        tokens = FakeTokens()
        site.on("/api", json_reply({}, 401), json_reply({}))
        api = api_at(site.url, tokens)

        assert [send(api), send(api)] == [200, 200]
        assert [sent.values("Authorization") for sent in site.requests] == [
            [f"Bearer token-{number}"] for number in (1, 2, 2)
        ]
        assert pauses == []

    def test_second_401_is_returned(self, site: ScriptedServer) -> None:
        """The cluster does not know the role, so a third token would not help."""
        tokens = FakeTokens()
        site.on("/api", json_reply({}, 401))

        assert send(api_at(site.url, tokens)) == 401
        assert (tokens.made, len(site.requests)) == (2, 2)

    def test_failure_in_between_requests_no_third_token(self, site: ScriptedServer) -> None:
        """A new token needs a session of STS, and the second token was not rejected."""
        tokens = FakeTokens()
        site.on("/api", json_reply({}, 401), json_reply({}, 503), json_reply({}))

        assert send(api_at(site.url, tokens)) == 200
        assert tokens.made == 2

    def test_401_in_the_last_attempt(self, site: ScriptedServer) -> None:
        """No attempt is left for a new token; the next request gets one."""
        site.on("/api", json_reply({}, 503), json_reply({}, 503), json_reply({}, 401))

        with pytest.raises(CredentialsUnavailable) as raised:
            send(api_at(site.url))

        assert raised.value.detail == f"The cluster does not accept this API's token. {REPORT_TO_OPERATORS}"
        assert len(site.requests) == ATTEMPTS

    def test_without_a_token_nothing_is_sent(self, site: ScriptedServer) -> None:
        """An error of AWS is raised unchanged."""
        tokens = FakeTokens()
        tokens.fault = CredentialsUnavailable("AWS STS throttles this API. Try again later.", retry_after=5)

        with pytest.raises(CredentialsUnavailable, match="throttles this API"):
            send(api_at(site.url, tokens))

        assert site.requests == []


class TestDeadline:
    """No request takes longer than its deadline."""

    def test_after_the_deadline_nothing_is_sent(self, site: ScriptedServer) -> None:
        """The error is raised before a connection is made."""
        with pytest.raises(DeadlineExceeded, match="did not respond in time"):
            send(api_at(site.url), seconds=0)

        assert site.requests == []

    @pytest.mark.parametrize(
        "pieces",
        [
            pytest.param(itertools.repeat(b""), id="silent"),
            pytest.param(itertools.chain([ENDLESS], itertools.repeat(b"x")), id="slow"),
        ],
    )
    def test_slow_server(self, pieces: Iterator[bytes]) -> None:
        """The deadline ends a read of no bytes, and of a few bytes at a time."""
        deadline = Deadline.after(0.15)

        with RawServer(pieces, pause=0.02) as server, pytest.raises(DeadlineExceeded) as raised:
            api_at(server.url).send(GET, (), deadline)

        assert raised.value.why == "read_timeout"
        assert time.monotonic() < deadline.at + READ_SECONDS - 1


class TestTooLarge:
    """A response that exceeds the limit."""

    def test_it_is_not_retried(self) -> None:
        """The response would be as large again. Pagination requests a smaller page."""
        with RawServer(itertools.chain([ENDLESS], itertools.repeat(bytes(MAX_RESPONSE // 8)))) as server:
            with pytest.raises(ResponseTooLarge) as raised:
                send(api_at(server.url))

            assert (server.connections, raised.value.why) == (1, "response_too_large")

    def test_it_closes_the_breaker(self) -> None:
        """A response of any size closes the circuit breaker."""
        clock = Clock()
        with RawServer([]) as server:
            api = api_at(server.url, clock=clock)
            fail(api, 2)
            clock.now += PAUSE
            server.pieces = itertools.chain([ENDLESS], itertools.repeat(bytes(MAX_RESPONSE // 8)))
            with pytest.raises(ClusterUnavailable, match="too large"):
                send(api)
            server.pieces = [SUCCESS]

            assert send(api) == 200


class TestBreaker:
    """The circuit breaker."""

    def test_it_opens(self) -> None:
        """After five failures in a row no request is sent."""
        with RawServer([]) as server:
            api = api_at(server.url)

            assert fail(api, 4) == "circuit_breaker_open"
            assert server.connections == FAILURES

    def test_it_closes(self) -> None:
        """After the pause a response closes it."""
        clock = Clock()
        with RawServer([]) as server:
            api = api_at(server.url, clock=clock)
            fail(api, 2)
            server.pieces = [SUCCESS]
            clock.now += PAUSE

            assert [send(api), send(api)] == [200, 200]

    def test_error_responses_do_not_open_it(self, site: ScriptedServer) -> None:
        """An error status is a response."""
        site.on("/api", json_reply({}, 503))
        api = api_at(site.url)

        for _ in range(FAILURES):
            with pytest.raises(ClusterUnavailable, match="overloaded"):
                send(api)

        assert len(site.requests) == FAILURES * ATTEMPTS


class TestKeptConnections:
    """Connections that died while the function was frozen."""

    @pytest.mark.parametrize("number", [1, 20, 40])
    @pytest.mark.parametrize("death", ["reset", "closed", "lost"])
    def test_all_are_dead(self, site: ScriptedServer, pauses: list[float], death: Death, number: int) -> None:
        """Parallel requests succeed at once, and the circuit breaker stays closed."""
        site.on("/api", json_reply({}))
        with FrozenNetwork(site.url) as network:
            api = api_at(network.url)
            open_connections(api, network.url, min(number, CONNECTIONS))
            assert network.kill(death) == min(number, CONNECTIONS)

            with ThreadPoolExecutor(number) as threads:
                responses = list(threads.map(lambda _: api.send(GET, (), FAR_DEADLINE), range(number)))

        assert [response.status for response in responses] == [200] * number
        assert 1 <= sum(response.repeated for response in responses) <= CONNECTIONS
        assert (network.requests_on_dead, pauses) == (sum(response.repeated for response in responses), [])

    def test_silent_ones_do_not_open_the_breaker(self, site: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """Requests that timed out on them are repeated on new connections."""
        site.on("/api", json_reply({}))
        monkeypatch.setattr(time, "sleep", lambda _: monkeypatch.setattr(api_client, "READ_SECONDS", 60))
        with FrozenNetwork(site.url) as network:
            api = api_at(network.url)
            open_connections(api, network.url, FAILURES)
            network.kill("silent")
            responses = []
            for _ in range(FAILURES):
                monkeypatch.setattr(api_client, "READ_SECONDS", 0.05)
                responses.append(send(api))
                api._pool.clear()  # noqa: SLF001 - the next request needs one that is dead
                open_connections(api, network.url, 1)
                network.kill("silent")

            assert responses == [200] * FAILURES

    def test_create_whose_response_was_lost(self, site: ScriptedServer) -> None:
        """The second attempt says that the first one may have succeeded."""
        site.on("/jobs", json_reply({}, 201), json_reply({}, 201), status_reply(409, reason="AlreadyExists"))
        create = ApiRequest("POST", "/jobs", body=b"{}")
        with FrozenNetwork(site.url) as network:
            api = api_at(network.url)
            first = api.send(create, (), FAR_DEADLINE)
            network.kill("lost")

            again = api.send(create, (), FAR_DEADLINE)

        assert [(each.status, each.repeated) for each in (first, again)] == [(201, False), (409, True)]

    def test_new_connections_that_fail_open_the_breaker(self, site: ScriptedServer) -> None:
        """A server that is down is reported as before."""
        site.on("/api", json_reply({}))
        with FrozenNetwork(site.url) as network:
            api = api_at(network.url)
            open_connections(api, network.url, CONNECTIONS)
            network.kill("reset")
        assert fail(api, FAILURES) == "circuit_breaker_open"


class TestProxied:
    """Requests that the API server forwards to a node, such as for a log."""

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_failure_of_the_node_is_not_retried(self, site: ScriptedServer, status: int) -> None:
        """The error is about the node, which is not the cluster."""
        site.on("/api", json_reply({}, status))
        api = api_at(site.url)

        for _ in range(FAILURES):
            with pytest.raises(NodeUnavailable):
                send(api, LOG)

        assert len(site.requests) == FAILURES

    def test_lost_node(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A silent node ends the request within seconds, and does not open the circuit breaker."""
        monkeypatch.setattr(api_client, "NODE_READ_SECONDS", 0.05)
        with RawServer([b""] * 10, pause=0.02) as server:
            api = api_at(server.url)
            for _ in range(FAILURES):
                with pytest.raises(NodeUnavailable):
                    send(api, LOG)
            server.pieces = [SUCCESS]

            assert send(api) == 200

    def test_cut_log(self, pauses: list[float]) -> None:
        """However often a log's connection is cut, the circuit breaker stays closed for all other requests."""
        with RawServer([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"]) as server:
            api = api_at(server.url)
            for _ in range(FAILURES):
                with pytest.raises(ClusterUnavailable):
                    send(api, LOG)
            server.pieces = [SUCCESS]

            assert send(api) == 200

        assert pauses

    def test_throttled_request_is_retried(self, site: ScriptedServer, pauses: list[float]) -> None:
        """429 comes from the API server itself."""
        site.on("/api", json_reply({}, 429), json_reply({}))

        assert (send(api_at(site.url), LOG), len(pauses)) == (200, 1)


class TestDenial:
    """Denials by webhooks and policies."""

    @pytest.mark.parametrize("status", [401, 429, 500, 503])
    def test_is_final(self, site: ScriptedServer, pauses: list[float], status: int) -> None:
        """A webhook may deny with a status that is retried otherwise."""
        site.on("/api", status_reply(status, 'admission webhook "x" denied the request: no'))

        assert (send(api_at(site.url)), len(site.requests), pauses) == (status, 1, [])


class TestUntrustedCertificate:
    """A certificate that cannot be verified."""

    def test_is_not_retried(self, pauses: list[float]) -> None:
        """The first error is raised, and is for the operators."""
        deadline = Deadline.after(60)
        with ScriptedServer(server_identity().context) as site:
            api = api_at(site.url, ca=server_identity().ca_pem)
            with pytest.raises(ClusterUnavailable, match="Report this to the operators"):
                api.send(GET, (), deadline)

        assert (len(deadline.attempts), pauses, site.requests) == (1, [], [])

    def test_does_not_open_the_breaker(self) -> None:
        """An open breaker would tell callers to retry."""
        with ScriptedServer(server_identity().context) as site:
            api = api_at(site.url, ca=server_identity().ca_pem)
            assert fail(api, FAILURES + 1) == "tls_verification_unknown_authority"


def test_parameters_omit_none_and_empty() -> None:
    """An empty selector or token is not the same as none."""
    assert parameters(limit=5, labelSelector="", **{"continue": None}) == (("limit", "5"),)


class TestLines:
    """A stream, such as a watch."""

    def test_lines_are_those_of_the_response(self, site: ScriptedServer) -> None:
        """The request has the API's token and the given headers."""
        site.on("/api", HttpResponse(200, [], stream=iter([b"a\nb", b"\n"])))

        found = list(api_at(site.url).stream(GET, [("Impersonate-User", "researcher:api")], Deadline.after(60)))

        assert found == [b"a", b"b"]
        assert site.requests[0].values("Authorization") == ["Bearer token-1"]
        assert site.requests[0].values("Impersonate-User") == ["researcher:api"]

    def test_failure_is_not_retried(self, site: ScriptedServer, pauses: list[float]) -> None:
        """A failed connection and an error response have no lines; the caller polls again."""
        site.on("/api", status_reply(403, "no\n"))

        assert list(api_at(site.url).stream(GET, (), Deadline.after(60))) == []
        assert list(api_at(unused_url()).stream(GET, (), Deadline.after(60))) == []
        assert pauses == []

    def test_broken_stream_ends(self) -> None:
        """The lines before the failure are returned."""
        cut = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n5\r\nb"
        with RawServer([cut]) as server:
            assert list(api_at(server.url).stream(GET, (), Deadline.after(60))) == [b"a"]

    def test_after_the_deadline_nothing_is_sent(self, site: ScriptedServer) -> None:
        """The error is raised before a connection is made."""
        with pytest.raises(DeadlineExceeded):
            list(api_at(site.url).stream(GET, (), Deadline(0.0)))

        assert site.requests == []
