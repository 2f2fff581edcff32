"""HTTP to the API server: what is sent, what is tried again, and when it ends."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.kubernetes.api_client import ATTEMPTS, MAX_RESPONSE, READ_SECONDS, ApiRequest, parameters
from chalicelib.adapters.kubernetes.circuit_breaker import FAILURES, PAUSE
from chalicelib.adapters.kubernetes.errors import ResponseTooLarge
from chalicelib.deadline import Deadline
from chalicelib.domain.errors import REPORT_TO_OPERATORS, ClusterUnavailable, CredentialsUnavailable, DeadlineExceeded
from infra.local.wire import HttpResponse
from infra.localcluster.certificates import server_identity
from tests.support.fakes import FakeTokens
from tests.support.scripted_server import Clock, RawServer, ScriptedServer, api_at, json_reply, status_reply, unused_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.adapters.kubernetes.api_client import KubernetesApi

GET = ApiRequest("GET", "/api")
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were slept, none of them really."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def send(api: KubernetesApi, call: ApiRequest = GET, seconds: float = 60.0) -> int:
    """The status of the answer to *call*."""
    return api.send(call, (), Deadline.after(seconds)).status


def fail(api: KubernetesApi, times: int) -> str | None:
    """Why the last of so many calls got no answer, as no other did."""
    for _ in range(times):
        with pytest.raises(ClusterUnavailable) as refusal:
            send(api)
    return refusal.value.why


class TestSend:
    """One call, one answer."""

    def test_call_is_sent_as_it_stands(self, site: ScriptedServer) -> None:
        """Path, query and body are the caller's; the token is ours."""
        call = ApiRequest(
            "POST", "/apis/batch/v1/jobs", (("dryRun", "All"), ("labelSelector", "a in (b,c)&x=1")), b'{"a":1}'
        )
        site.on(call.path, json_reply({}, 201))

        status = send(api_at(site.url), call)

        (asked,) = site.asked
        assert (status, asked.method, asked.path, asked.body) == (201, "POST", call.path, b'{"a":1}')
        assert asked.query == list(call.query)
        assert asked.values("Authorization") == ["Bearer token-1"]
        assert asked.values("Accept") == asked.values("Content-Type") == ["application/json"]

    def test_header_lines_stay_apart(self, site: ScriptedServer) -> None:
        """A header that stands twice arrives as two lines: the API server does not split at commas."""
        lines = [("Impersonate-Group", "researcher:a,b"), ("Impersonate-Group", "researcher:c")]

        api_at(site.url).send(GET, iter(lines), Deadline.after(60))

        assert site.asked[0].values("Impersonate-Group") == ["researcher:a,b", "researcher:c"]

    def test_request_is_named_in_the_clusters_audit_log(self, site: ScriptedServer) -> None:
        """By its id, in the header that the API server takes for that; a call of no request leaves it out."""
        api_at(site.url).send(GET, (), Deadline(time.monotonic() + 60, "req-1"))
        send(api_at(site.url))

        assert [asked.values("Audit-ID") for asked in site.asked] == [["req-1"], []]

    def test_time_of_each_attempt_is_told(self, site: ScriptedServer) -> None:
        """With the deadline, for the request's line of the log: also of those that came to nothing."""
        site.on("/api", json_reply({}, 503), json_reply({}, 200))
        deadline = Deadline.after(60)

        api_at(site.url).send(GET, (), deadline)
        with pytest.raises(ClusterUnavailable):
            api_at(unused_url()).send(GET, (), deadline)

        assert len(deadline.attempts) == 2 + ATTEMPTS
        assert all(0 < seconds < 60 for seconds in deadline.attempts)

    @pytest.mark.parametrize("status", [200, 201, 400, 403, 404, 409, 410, 415, 422])
    def test_decision_is_final(self, site: ScriptedServer, status: int) -> None:
        """What the cluster grants or refuses is not asked again: status and body are as they came."""
        site.on("/api", status_reply(status, "jobs.batch not found"))

        answer = api_at(site.url).send(GET, (), Deadline.after(60))

        assert (answer.status, answer.repeated, len(site.asked)) == (status, False, 1)
        assert b"jobs.batch not found" in answer.body

    def test_redirect_is_not_followed(self, site: ScriptedServer) -> None:
        """Our token goes to the cluster alone."""
        site.on("/api", HttpResponse(307, [("Location", site.url + "/other")]))

        assert send(api_at(site.url)) == 307
        assert site.at("/other") == []


class TestTryAgain:
    """What may pass by itself."""

    @pytest.mark.parametrize(
        ("statuses", "repeated"),
        [
            pytest.param([500, 200], True, id="500"),
            pytest.param([502, 200], True, id="502"),
            pytest.param([503, 200], True, id="503"),
            pytest.param([504, 404], True, id="504"),
            pytest.param([429, 404], False, id="turned away before it was looked at"),
            pytest.param([504, 429, 404], True, id="lost, then turned away"),
            pytest.param([401, 404], False, id="turned away for its token"),
        ],
    )
    def test_failure_of_the_moment(self, site: ScriptedServer, statuses: list[int], repeated: bool) -> None:
        """The last attempt counts; an earlier one may have been carried out nevertheless, and the answer says so."""
        site.on("/api", *(json_reply({}, status) for status in statuses))

        answer = api_at(site.url).send(GET, (), Deadline.after(60))

        assert (answer.status, answer.repeated) == (statuses[-1], repeated)

    def test_create_is_sent_again_as_it_was(self, site: ScriptedServer) -> None:
        """Its name is fixed, so the second meets the first: 409 and not a second Job."""
        create = ApiRequest("POST", "/jobs", (("fieldValidation", "Strict"),), b'{"metadata":{"name":"train-1"}}')
        site.on("/jobs", json_reply({}, 504), status_reply(409, reason="AlreadyExists"))

        answer = api_at(site.url).send(create, (), Deadline.after(60))

        assert (answer.status, answer.repeated) == (409, True)
        assert site.asked[0] == site.asked[1]

    @pytest.mark.parametrize(
        "pieces",
        [
            pytest.param([], id="hangs up"),
            pytest.param([b"SSH-2.0-OpenSSH_9.6\r\n"], id="is no web server"),
            pytest.param([LONG, b"{"], id="is cut off"),
        ],
    )
    def test_server_without_an_answer(self, pieces: list[bytes]) -> None:
        """Three attempts on connections of their own, then the caller is to come again."""
        with RawServer(pieces) as server:
            with pytest.raises(ClusterUnavailable) as refusal:
                send(api_at(server.url))

            assert server.connections == ATTEMPTS

        assert refusal.value.detail == "The cluster cannot be reached. Try again later."
        assert (refusal.value.retry_after, refusal.value.why) == (1, "connection_closed")

    @pytest.mark.parametrize(
        ("url", "why"),
        [(unused_url(), "connect_failed"), ("https://cluster.invalid", "name_resolution")],
        ids=["refused", "misspelt"],
    )
    def test_nobody_listens(self, pauses: list[float], url: str, why: str) -> None:
        """Tried again, too; the log tells a security group that rejects from a misspelt endpoint."""
        with pytest.raises(ClusterUnavailable, match="cannot be reached") as refusal:
            send(api_at(url))

        assert (len(pauses), refusal.value.why) == (ATTEMPTS - 1, why)

    @pytest.mark.parametrize(("status", "wish", "retry_after"), [(429, "7", 7), (503, "", 1)])
    def test_busy_cluster(self, site: ScriptedServer, status: int, wish: str, retry_after: int) -> None:
        """Three attempts, then the caller is to come again, when the cluster says; the log has its last status."""
        site.on("/api", json_reply({}, status, [("Retry-After", wish)]))

        with pytest.raises(ClusterUnavailable) as refusal:
            send(api_at(site.url))

        assert refusal.value.detail == "The cluster is overloaded. Try again later."
        assert (refusal.value.retry_after, refusal.value.why) == (retry_after, f"status_{status}")
        assert len(site.asked) == ATTEMPTS


class TestPauses:
    """Between attempts."""

    def test_pauses_grow_and_differ(self, site: ScriptedServer, pauses: list[float]) -> None:
        """Those who failed together do not come back together."""
        site.on("/api", *[json_reply({}, 503), json_reply({}, 503), json_reply({})] * 8)
        api = api_at(site.url)

        for _ in range(8):
            send(api)

        first, second = pauses[::2], pauses[1::2]
        assert all(0.1 <= pause <= 0.3 for pause in first)
        assert all(0.2 <= pause <= 0.6 for pause in second)
        assert len(set(pauses)) == 16

    @pytest.mark.parametrize("status", [429, 503])
    def test_clusters_wish_is_honoured(self, site: ScriptedServer, pauses: list[float], status: int) -> None:
        """Retry-After is slept exactly."""
        site.on("/api", json_reply({}, status, [("Retry-After", "3")]), json_reply({}))

        send(api_at(site.url))

        assert pauses == [3.0]

    def test_wish_beyond_the_deadline_is_passed_on(self, site: ScriptedServer, pauses: list[float]) -> None:
        """The caller may wait that long; we may not, and nothing is asked again."""
        site.on("/api", json_reply({}, 429, [("Retry-After", "30")]))

        with pytest.raises(ClusterUnavailable) as refusal:
            send(api_at(site.url), seconds=20)

        assert (refusal.value.retry_after, pauses, len(site.asked)) == (30, [], 1)

    @pytest.mark.parametrize("text", ["0", "-1", "1.5", "soon", "", "²", "100000", "Tue, 24 Nov 2026 10:00:00 GMT"])
    def test_wish_that_is_no_number_of_seconds(self, site: ScriptedServer, pauses: list[float], text: str) -> None:
        """Then the pause is ours."""
        site.on("/api", json_reply({}, 503, [("Retry-After", text)]), json_reply({}))

        send(api_at(site.url))

        assert 0.1 <= pauses[0] <= 0.3


class TestTokens:
    """How we prove ourselves."""

    def test_refused_token_is_replaced_once(self, site: ScriptedServer, pauses: list[float]) -> None:
        """At once, and kept for the calls that follow."""
        tokens = FakeTokens()
        site.on("/api", json_reply({}, 401), json_reply({}))
        api = api_at(site.url, tokens)

        assert [send(api), send(api)] == [200, 200]
        assert [asked.values("Authorization") for asked in site.asked] == [[f"Bearer token-{one}"] for one in (1, 2, 2)]
        assert pauses == []

    def test_second_refusal_is_the_answer(self, site: ScriptedServer) -> None:
        """Our role is not known there: no third token would be better."""
        tokens = FakeTokens()
        site.on("/api", json_reply({}, 401))

        assert send(api_at(site.url, tokens)) == 401
        assert (tokens.made, len(site.asked)) == (2, 2)

    def test_failure_in_between_makes_no_third_token(self, site: ScriptedServer) -> None:
        """A new one costs a session at STS, and nobody refused the second."""
        tokens = FakeTokens()
        site.on("/api", json_reply({}, 401), json_reply({}, 503), json_reply({}))

        assert send(api_at(site.url, tokens)) == 200
        assert tokens.made == 2

    def test_refusal_of_the_last_attempt(self, site: ScriptedServer) -> None:
        """There is no attempt left for a new token; the next call gets one."""
        site.on("/api", json_reply({}, 503), json_reply({}, 503), json_reply({}, 401))

        with pytest.raises(CredentialsUnavailable) as refusal:
            send(api_at(site.url))

        assert refusal.value.detail == f"The cluster does not accept this API's token. {REPORT_TO_OPERATORS}"
        assert len(site.asked) == ATTEMPTS

    def test_without_a_token_nothing_is_sent(self, site: ScriptedServer) -> None:
        """What AWS refused is told as it is."""
        tokens = FakeTokens()
        tokens.fault = CredentialsUnavailable("AWS STS throttles this API. Try again later.", retry_after=5)

        with pytest.raises(CredentialsUnavailable, match="throttles this API"):
            send(api_at(site.url, tokens))

        assert site.asked == []


class TestDeadline:
    """No call outlasts the request it is for."""

    def test_after_the_deadline_nothing_is_sent(self, site: ScriptedServer) -> None:
        """The caller has gone by now."""
        with pytest.raises(DeadlineExceeded, match="did not respond in time"):
            send(api_at(site.url), seconds=0)

        assert site.asked == []

    @pytest.mark.parametrize(
        "pieces",
        [
            pytest.param(itertools.repeat(b""), id="silent"),
            pytest.param(itertools.chain([LONG], itertools.repeat(b"x")), id="dripping"),
        ],
    )
    def test_slow_server(self, pieces: Iterator[bytes]) -> None:
        """Whether it says nothing, or always a little more."""
        deadline = Deadline.after(0.15)

        with RawServer(pieces, pause=0.02) as server, pytest.raises(DeadlineExceeded) as refusal:
            api_at(server.url).send(GET, (), deadline)

        assert refusal.value.why == "read_timeout"
        assert time.monotonic() < deadline.at + READ_SECONDS - 1


class TestTooLarge:
    """An answer that would not fit into the Lambda."""

    def test_it_is_given_up(self) -> None:
        """Once: it would be as large the next time. Whoever lists asks for less."""
        with RawServer(itertools.chain([LONG], itertools.repeat(bytes(MAX_RESPONSE // 8)))) as server:
            with pytest.raises(ResponseTooLarge) as refusal:
                send(api_at(server.url))

            assert (server.connections, refusal.value.why) == (1, "response_too_large")

    def test_it_shows_that_the_cluster_is_there(self) -> None:
        """A breaker that lets one call try closes after it, as after any answer."""
        clock = Clock()
        with RawServer([]) as server:
            api = api_at(server.url, clock=clock)
            fail(api, 2)
            clock.now += PAUSE
            server.pieces = itertools.chain([LONG], itertools.repeat(bytes(MAX_RESPONSE // 8)))
            with pytest.raises(ClusterUnavailable, match="too large"):
                send(api)
            server.pieces = [WELL]

            assert send(api) == 200


class TestBreaker:
    """A cluster that is down."""

    def test_it_is_left_alone(self) -> None:
        """After five attempts in a row no other is made, whoever asks."""
        with RawServer([]) as server:
            api = api_at(server.url)

            assert fail(api, 4) == "circuit_breaker_open"
            assert server.connections == FAILURES

    def test_it_is_found_again(self) -> None:
        """Without a restart, when the pause is over."""
        clock = Clock()
        with RawServer([]) as server:
            api = api_at(server.url, clock=clock)
            fail(api, 2)
            server.pieces = [WELL]
            clock.now += PAUSE

            assert [send(api), send(api)] == [200, 200]

    def test_cluster_that_answers_is_asked(self, site: ScriptedServer) -> None:
        """Refusals and its own errors are answers."""
        site.on("/api", json_reply({}, 503))
        api = api_at(site.url)

        for _ in range(FAILURES):
            with pytest.raises(ClusterUnavailable, match="overloaded"):
                send(api)

        assert len(site.asked) == FAILURES * ATTEMPTS


class TestUntrustedCertificate:
    """A certificate that does not pass, which another attempt cannot change."""

    def test_is_tried_once(self, pauses: list[float]) -> None:
        """And the caller reads at once that it is for the operators."""
        deadline = Deadline.after(60)
        with ScriptedServer(server_identity().context) as site:
            api = api_at(site.url, ca=server_identity().ca_pem)
            with pytest.raises(ClusterUnavailable, match="Report this to the operators"):
                api.send(GET, (), deadline)

        assert (len(deadline.attempts), pauses, site.asked) == (1, [], [])

    def test_does_not_open_the_breaker(self) -> None:
        """Which would tell the next callers to try again."""
        with ScriptedServer(server_identity().context) as site:
            api = api_at(site.url, ca=server_identity().ca_pem)
            assert fail(api, FAILURES + 1) == "tls_verification"


def test_parameters_leave_out_what_is_not_asked() -> None:
    """An empty selector or token would be another question than none."""
    assert parameters(limit=5, labelSelector="", **{"continue": None}) == (("limit", "5"),)


class TestLines:
    """A stream, such as a watch."""

    def test_lines_are_those_of_the_answer(self, site: ScriptedServer) -> None:
        """Asked with our token, and the caller's headers."""
        site.on("/api", HttpResponse(200, [], stream=iter([b"a\nb", b"\n"])))

        found = list(api_at(site.url).lines(GET, [("Impersonate-User", "researcher:api")], Deadline.after(60)))

        assert found == [b"a", b"b"]
        assert site.asked[0].values("Authorization") == ["Bearer token-1"]
        assert site.asked[0].values("Impersonate-User") == ["researcher:api"]

    def test_nobody_there_is_tried_once(self, site: ScriptedServer, pauses: list[float]) -> None:
        """There is nothing to repeat: its reader goes on in its own way. A refusal has no lines, either."""
        site.on("/api", status_reply(403, "no\n"))

        assert list(api_at(site.url).lines(GET, (), Deadline.after(60))) == []
        assert list(api_at(unused_url()).lines(GET, (), Deadline.after(60))) == []
        assert pauses == []

    def test_it_breaks_without_a_word(self) -> None:
        """What came before stays good."""
        cut = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n5\r\nb"
        with RawServer([cut]) as server:
            assert list(api_at(server.url).lines(GET, (), Deadline.after(60))) == [b"a"]

    def test_deadline_over_asks_nobody(self, site: ScriptedServer) -> None:
        """Nothing is sent."""
        with pytest.raises(DeadlineExceeded):
            list(api_at(site.url).lines(GET, (), Deadline(0.0)))

        assert site.asked == []
