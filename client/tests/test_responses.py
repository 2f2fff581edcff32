"""Responses: retries, redirects, and what a hostile server sends."""

from __future__ import annotations

import pytest
from http_server import OK, Server, transport
from researcher import ApiError, Refused, ServerError, Unavailable, UsageError
from researcher.cli.output import plain
from researcher.polling import FAILURES, Poll
from researcher.responses import parse_retry_after
from researcher.tokens import Token
from researcher.transport import Transport, path_of


class TestResponses:
    """What servers send."""

    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    def test_busy_servers(self, status: int) -> None:
        """A busy server gets the request again after the time that it names, and six times at most."""
        pauses: list[float] = []
        with Server((status, {"Retry-After": "7"}, b""), OK) as server:
            api = Transport(server.url, Token("t"), sleep=pauses.append)
            assert api.get("/x") == {"a": 1}
        with Server((status, {}, b"")) as server, pytest.raises(ServerError):
            transport(server.url).get("/x")

        assert pauses == [7.0]
        assert len(server.seen) == 6

    def test_a_redirect_is_not_followed(self) -> None:
        """The token is not sent to another host."""
        with Server((302, {"Location": "https://evil.example.com/"}, b"")) as server:
            with pytest.raises(Unavailable, match=r"redirects to evil\.example\.com"):
                transport(server.url).get("/x")
            assert len(server.seen) == 1

    @pytest.mark.parametrize("body", [b"<html>", b"", b"\xff", b"[1", b'"text"'])
    def test_errors_that_are_not_ours(self, body: bytes) -> None:
        """An error of something between the client and the API is still an error with its status."""
        with Server((400, {}, body)) as server, pytest.raises(Refused, match="status 400"):
            transport(server.url).get("/x")

    def test_a_page_in_place_of_json(self) -> None:
        """Another server's page is named as that."""
        with Server((200, {}, b"<html>")) as server, pytest.raises(Unavailable, match="is this the URL"):
            transport(server.url).get("/x")

    def test_a_truncated_response(self) -> None:
        """A body that ends too early is a broken connection."""
        with Server((200, {"Content-Length": "100"}, b'{"a": 1}')) as server, pytest.raises(Unavailable):
            transport(server.url).get("/x")

        assert len(server.seen) == 6

    def test_a_refused_token_is_renewed_once(self) -> None:
        """After 401 the request is sent again with another token, if there is one."""

        class Tokens:
            """A source with two tokens."""

            def bearer(self, *, refused: str | None = None) -> str:
                """Return the second token where the first is refused."""
                return "second" if refused else "first"

        with Server((401, {}, b"{}"), OK) as server:
            assert Transport(server.url, Tokens()).get("/x") == {"a": 1}
        with Server((401, {}, b"{}")) as denying, pytest.raises(ApiError):
            Transport(denying.url, Tokens()).get("/x")

        assert [each["authorization"] for each in server.seen] == ["Bearer first", "Bearer second"]
        assert len(denying.seen) == 2

    @pytest.mark.parametrize(
        ("value", "expected"), [(None, None), ("3", 3.0), ("x", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0)]
    )
    def test_retry_after(self, value: str | None, expected: float | None) -> None:
        """Seconds or a date; anything else is ignored."""
        assert parse_retry_after(value) == expected

    @pytest.mark.parametrize("name", ["", ".", ".."])
    def test_paths(self, name: str) -> None:
        """No name leads to another path."""
        with pytest.raises(UsageError):
            path_of("jobs", "p", name)
        assert path_of("jobs", "a/b?c") == "/jobs/a%2Fb%3Fc"

    def test_control_characters(self) -> None:
        """Text of the cluster cannot change the terminal."""
        assert plain("a\x1b[31mb\r\n\u202ec") == "a [31mb   c"


class TestPoll:
    """Loops of long polls."""

    def test_gives_up(self) -> None:
        """A server that is gone is given up after a number of failures in a row."""
        poll, calls = Poll(sleep=lambda _: None), []

        def fail(seconds: int) -> None:
            calls.append(seconds)
            raise Unavailable("gone")

        for _ in range(FAILURES - 1):
            assert poll.request(fail) is None
        with pytest.raises(Unavailable):
            poll.request(fail)
        assert len(calls) == FAILURES

    def test_a_success_begins_again(self) -> None:
        """Failures count only in a row."""
        poll = Poll(sleep=lambda _: None)
        for number in range(5 * FAILURES):

            def send(_: int, number: int = number) -> int:
                if number % 3:
                    raise Unavailable("cut")
                return number

            poll.request(send)
