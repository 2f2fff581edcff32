"""TLS with a certificate authority of one's own, proxies, redirects, and what a hostile server sends."""

from __future__ import annotations

import base64
import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

import pytest
from researcher import ApiError, Refused, ServerError, Unavailable, UsageError
from researcher.cli.output import plain
from researcher.connection import find_proxy
from researcher.polling import FAILURES, Poll
from researcher.tokens import Token
from researcher.transport import Transport, parse_retry_after, path_of

from infra.localcluster.certificates import ServerIdentity, Shape, server_identity

if TYPE_CHECKING:
    from pathlib import Path

Answer = tuple[int, dict[str, str], bytes]
HOST = "api.test"


class Server(ThreadingHTTPServer):
    """Gives each answer once, and the last one again and again; with an identity, over TLS."""

    daemon_threads = True

    def __init__(self, *answers: Answer, identity: ServerIdentity | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.seen: list[dict[str, str]] = []
        if identity is not None:
            self.socket = identity.context.wrap_socket(self.socket, server_side=True)

    def __enter__(self) -> Self:
        """Serve in a thread."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        """The URL, without TLS."""
        return f"http://127.0.0.1:{self.server_port}/api"

    def handle_error(self, *_: object) -> None:
        """Ignore clients that do not trust the certificate."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def _respond(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
        answers = self.server.answers
        status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        """Connect to the server behind this proxy, whatever host is named."""
        self.server.seen.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
        with socket.create_connection(("127.0.0.1", int(self.path.rpartition(":")[2]))) as upstream:
            self.send_response(200)
            self.end_headers()
            pair = {self.connection: upstream, upstream: self.connection}
            while True:
                for source in select.select(list(pair), [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    pair[source].sendall(data)

    do_GET = do_POST = do_DELETE = _respond  # noqa: N815 - the names of http.server

    def log_message(self, *_: Any) -> None:  # noqa: ANN401 - as in the base class
        """Log nothing."""


def transport(url: str, **options: Any) -> Transport:  # noqa: ANN401 - those of Transport
    """Return a transport that does not sleep."""
    return Transport(url, Token("secret-token"), sleep=lambda _: None, **options)


OK: Answer = (200, {}, b'{"a": 1}')


@pytest.fixture(scope="module")
def identity() -> ServerIdentity:
    """Return the certificate of a server, and its authority."""
    return server_identity(Shape(hosts=(HOST, "127.0.0.1")))


class TestTls:
    """HTTPS."""

    def test_an_authority_of_ones_own(
        self, identity: ServerIdentity, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A file with the authority makes its servers trusted, by argument or variable; without it they are not."""
        path = folder / "ca.pem"
        path.write_text(identity.ca_pem, "utf-8")
        with Server(OK, identity=identity) as server:
            url = f"https://127.0.0.1:{server.server_port}"
            with pytest.raises(Unavailable, match="RESEARCHER_CA_FILE"):
                transport(url).get("/x")
            assert transport(url, ca_file=str(path)).get("/x") == {"a": 1}
            monkeypatch.setenv("RESEARCHER_CA_FILE", str(path))
            assert transport(url).get("/x") == {"a": 1}

        assert len(server.seen) == 2

    def test_a_missing_file(self) -> None:
        """A file of authorities that cannot be read is named."""
        with pytest.raises(UsageError, match=r"missing\.pem cannot be read"):
            transport("https://127.0.0.1:9", ca_file="missing.pem").get("/x")

    def test_through_a_proxy(self, identity: ServerIdentity, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """TLS goes through a proxy's CONNECT, with the proxy's credentials; the proxy never sees the token."""
        path = folder / "ca.pem"
        path.write_text(identity.ca_pem, "utf-8")
        with Server(OK, identity=identity) as server, Server(OK) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://user:p%40ss@127.0.0.1:{proxy.server_port}")
            api = transport(f"https://{HOST}:{server.server_port}", ca_file=str(path))
            assert api.get("/x") == {"a": 1}

        assert proxy.seen[0]["path"] == f"{HOST}:{server.server_port}"
        credentials = base64.b64encode(b"user:p@ss").decode()
        assert proxy.seen[0]["proxy-authorization"] == f"Basic {credentials}"
        assert "authorization" not in proxy.seen[0]
        assert "proxy-authorization" not in server.seen[0]


class TestProxies:
    """Which proxy is used."""

    @pytest.mark.parametrize(
        ("variables", "netloc", "expected"),
        [
            ({}, HOST, None),
            ({"HTTPS_PROXY": "http://p:8080"}, HOST, "p"),
            ({"ALL_PROXY": "p:8080"}, HOST, "p"),
            ({"HTTPS_PROXY": "http://p", "NO_PROXY": ".test"}, HOST, None),
            ({"HTTPS_PROXY": "http://p", "NO_PROXY": "other"}, HOST, "p"),
            ({"HTTPS_PROXY": "http://p"}, "127.0.0.1:8000", None),
        ],
    )
    def test_variables(
        self, variables: dict[str, str], netloc: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The variables have their usual meaning; loopback has no proxy."""
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        proxy = find_proxy("https", netloc)

        assert (proxy.host if proxy else None) == expected

    def test_other_schemes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A SOCKS proxy is refused, and not ignored."""
        monkeypatch.setenv("HTTPS_PROXY", "socks5://p:1080")
        with pytest.raises(UsageError, match="socks5"):
            find_proxy("https", HOST)


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
