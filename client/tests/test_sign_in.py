"""Sign-in of people and machines, against a token issuer on loopback."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import socket
import stat
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from researcher import NotSignedIn
from researcher.cli.main import run
from researcher.config import Contexts
from researcher.errors import UsageError
from researcher.session import find_session
from researcher.sign_in import PublicClient, discover, with_browser, with_device
from researcher.tokens import GitHubActions, Stored, StoredToken, delete_stored, read_stored, write_stored

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLIENT_ID = "cli"


class Issuer(ThreadingHTTPServer):
    """A token issuer for people, whose browser agrees to everything."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _IssuerHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.challenges: dict[str, str] = {}
        self.forms: list[dict[str, str]] = []
        self.pending = 2
        self.error = ""

    def browse(self, url: str) -> None:
        """Do what the browser and the user would do, in a thread."""
        query = dict(parse_qsl(urlsplit(url).query))
        self.challenges["the-code"] = query["code_challenge"]
        answer = {"error": self.error} if self.error else {"code": "the-code"}
        forged = f"{query['redirect_uri']}?{urlencode({'code': 'forged', 'state': 'wrong'})}"
        target = f"{query['redirect_uri']}?{urlencode({**answer, 'state': query['state'], 'iss': self.url})}"
        threading.Thread(target=_visit, args=([forged, target],), daemon=True).start()

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Answer at the token endpoint."""
        self.forms.append(form)
        granted = {"access_token": f"token-{len(self.forms)}", "expires_in": 3600, "refresh_token": "refresh-2"}
        if form["grant_type"] == "authorization_code":
            verifier = hashlib.sha256(form["code_verifier"].encode()).digest()
            matches = self.challenges[form["code"]] == base64.urlsafe_b64encode(verifier).decode().rstrip("=")
            return (200, granted) if matches else (400, {"error": "invalid_grant"})
        if form["grant_type"].endswith("device_code") and self.pending:
            self.pending -= 1
            return 400, {"error": "slow_down" if self.pending else "authorization_pending"}
        if form.get("refresh_token") == "revoked":
            return 400, {"error": "invalid_grant", "error_description": "The refresh token is revoked"}
        return 200, granted


class _IssuerHandler(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        """Answer the discovery document, or the OIDC token of a CI run."""
        if self.path.startswith("/ci"):
            audience = parse_qs(urlsplit(self.path).query)["audience"][0]
            self._answer(200, {"value": f"{self.headers['Authorization']} {audience}"})
            return
        url = self.server.url
        self._answer(200, {
            "issuer": url, "authorization_endpoint": f"{url}/authorize", "token_endpoint": f"{url}/token",
            "device_authorization_endpoint": f"{url}/device",
        })  # fmt: skip

    def do_POST(self) -> None:
        """Answer at the token and device endpoints."""
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if self.path == "/device":
            self._answer(200, {
                "device_code": "d", "user_code": "ABCD-EFGH", "verification_uri": f"{self.server.url}/go",
                "interval": 5, "expires_in": 60,
            })  # fmt: skip
        else:
            self._answer(*self.server.token(form))

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:  # noqa: ANN401 - as in the base class
        """Log nothing."""


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _visit(urls: list[str]) -> None:
    for url in urls:
        try:
            urllib.request.urlopen(url, timeout=30).close()  # noqa: S310 - loopback
        except urllib.error.HTTPError as error:
            error.close()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """Start an issuer."""
    with Issuer() as issuer:
        threading.Thread(target=issuer.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield issuer
        issuer.shutdown()


class TestBrowser:
    """The authorization code flow."""

    def test_signs_in(self, issuer: Issuer) -> None:
        """The code is exchanged with the verifier of the challenge; a forged answer before it changes nothing."""
        stored = with_browser(PublicClient(issuer.url, CLIENT_ID), issuer.browse)

        assert stored.access_token == "token-1"
        assert stored.refresh_token == "refresh-2"
        assert issuer.forms[0]["code"] == "the-code"

    def test_at_a_registered_redirect(self, issuer: Issuer) -> None:
        """Cognito compares the port: the browser comes back to a URI that the API publishes."""
        port = free_port()
        uris = ("https://console.example.com/callback", f"http://localhost:{port}/done")

        stored = with_browser(PublicClient(issuer.url, CLIENT_ID, redirects=uris), issuer.browse)

        assert stored.access_token == "token-1"
        assert issuer.forms[0]["redirect_uri"] == uris[1]

    def test_a_registered_redirect_in_use(self, issuer: Issuer) -> None:
        """If another program listens there, the error names the URIs."""
        uri = f"http://127.0.0.1:{issuer.server_port}/callback"
        with pytest.raises(UsageError, match="nothing can listen"):
            with_browser(PublicClient(issuer.url, CLIENT_ID, redirects=(uri,)), issuer.browse)

    def test_a_refusal(self, issuer: Issuer) -> None:
        """What the issuer refuses is an error with its reason."""
        issuer.error = "access_denied"
        with pytest.raises(NotSignedIn, match="access_denied"):
            with_browser(PublicClient(issuer.url, CLIENT_ID), issuer.browse)

    def test_nobody_comes_back(self, issuer: Issuer) -> None:
        """The wait for the browser ends."""
        with pytest.raises(NotSignedIn, match="in time"):
            with_browser(PublicClient(issuer.url, CLIENT_ID), lambda _: None, seconds=0.05)

    def test_another_issuer(self, issuer: Issuer) -> None:
        """The discovery document must be that of the issuer."""
        with pytest.raises(NotSignedIn, match="another issuer"):
            discover(f"{issuer.url}/other")


class TestDevice:
    """The device flow."""

    def test_waits_as_the_issuer_says(self, issuer: Issuer) -> None:
        """`slow_down` makes the interval longer, `authorization_pending` does not end the sign-in."""
        shown: list[tuple[str, str]] = []
        pauses: list[float] = []

        stored = with_device(PublicClient(issuer.url, CLIENT_ID), lambda *what: shown.append(what), sleep=pauses.append)

        assert stored.access_token.startswith("token-")
        assert shown == [(f"{issuer.url}/go", "ABCD-EFGH")]
        assert pauses == [5, 10, 10]


class TestStored:
    """Tokens on this machine."""

    URL = "https://api.example.com"

    def test_files_are_private(self, folder: Path) -> None:
        """Only the owner can read the tokens, and logout deletes them."""
        write_stored(self.URL, Stored(client_id="c", access_token="t", expires_at=time.time() + 600))

        path = next((folder / "state" / "tokens").glob("*.json"))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert StoredToken(self.URL).bearer() == "t"
        assert delete_stored(self.URL)
        assert read_stored(self.URL) is None

    def test_are_renewed_a_minute_early(self, issuer: Issuer) -> None:
        """A token that expires within 60 seconds is replaced, and the new refresh token is kept."""
        expiring = Stored("c", f"{issuer.url}/token", "", "refresh-1", "", "old", time.time() + 30)
        write_stored(self.URL, expiring)

        assert StoredToken(self.URL).bearer() == "token-1"
        assert issuer.forms[0]["refresh_token"] == "refresh-1"
        kept = read_stored(self.URL)
        assert kept is not None
        assert (kept.access_token, kept.refresh_token) == ("token-1", "refresh-2")

    def test_concurrent_processes_refresh_once(self, issuer: Issuer) -> None:
        """Of several clients that find an expired token, one refreshes it: a rotated refresh token is used once."""
        write_stored(self.URL, Stored("c", f"{issuer.url}/token", "", "refresh-1", "", "old", 0.0))
        found: list[str] = []
        threads = [threading.Thread(target=lambda: found.append(StoredToken(self.URL).bearer())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert found == ["token-1"] * 8
        assert len(issuer.forms) == 1

    def test_a_refused_token_is_replaced(self, issuer: Issuer) -> None:
        """A token that the server refuses is not used again, although it has not expired."""
        write_stored(self.URL, Stored("c", f"{issuer.url}/token", "", "r", "", "refused", time.time() + 600))

        assert StoredToken(self.URL).bearer(refused="refused") == "token-1"

    @pytest.mark.parametrize(("refresh_token", "message"), [("revoked", "is revoked"), ("", "has expired")])
    def test_the_end_of_a_sign_in(self, issuer: Issuer, refresh_token: str, message: str) -> None:
        """A sign-in that cannot be renewed says how to sign in again, and shows no token."""
        write_stored(self.URL, Stored("c", f"{issuer.url}/token", "", refresh_token, "", "old", 0.0))

        with pytest.raises(NotSignedIn, match=f"{message}.*researcher login") as caught:
            StoredToken(self.URL).bearer()
        assert "old" not in str(caught.value)

    def test_a_damaged_file(self, folder: Path) -> None:
        """A file that cannot be read is an error that says what to do."""
        write_stored(self.URL, Stored("c"))
        next((folder / "state" / "tokens").glob("*.json")).write_text("{", "utf-8")

        with pytest.raises(NotSignedIn, match="researcher login"):
            StoredToken(self.URL).bearer()


class TestSession:
    """Which server, Project and token a command uses."""

    def test_three_variables_are_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """In CI no file is needed."""
        for name in ("URL", "TOKEN", "PROJECT"):
            monkeypatch.setenv(f"RESEARCHER_{name}", f"https://{name.lower()}.example.com")

        session = find_session()
        assert session.url == "https://url.example.com"
        assert session.tokens.bearer() == "https://token.example.com"
        assert session.project == "https://project.example.com"

    def test_github_actions(self, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
        """A run with `id-token: write` has a token for this API."""
        monkeypatch.setenv("RESEARCHER_URL", "https://api.example.com")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{issuer.url}/ci?run=1")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "secret")

        tokens = find_session().tokens
        assert isinstance(tokens, GitHubActions)
        assert tokens.bearer() == "Bearer secret researcher"

    def test_make_run(self, folder: Path, session: dict[str, str]) -> None:
        """In the folder of a `make run` nothing has to be set."""
        _write_session(folder, session)

        assert run(["project", "--list"]) == 0

    def test_a_session_file_of_another_server(self, folder: Path, session: dict[str, str]) -> None:
        """A file in the working directory cannot send requests elsewhere."""
        _write_session(folder, session | {"BASE_URL": "https://evil.example.com/api"})

        with pytest.raises(NotSignedIn):
            find_session()

    def test_unreadable_contexts(self, folder: Path) -> None:
        """A damaged file is named."""
        (folder / "config").mkdir()
        (folder / "config" / "contexts.json").write_text("[]", "utf-8")

        with pytest.raises(UsageError, match=r"contexts\.json cannot be read"):
            Contexts.read()


class TestLogin:
    """`login`, `context`, `whoami`, `logout`."""

    def test_as_an_application(
        self, session: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The secret comes from stdin; then commands need neither URL nor token, until logout."""
        monkeypatch.setattr(sys, "stdin", io.StringIO(session["CLIENT_SECRET"] + "\n"))
        options = ["--client-id", session["CLIENT_ID"], "--client-secret-stdin", "-p", "team-a", "--name", "dev"]

        assert run(["login", session["BASE_URL"], *options]) == 0
        assert run(["list", "-o", "name"]) == 0
        assert run(["whoami"]) == 0
        assert run(["context"]) == 0
        assert run(["context", "use", "dev", "-p", "team-shared"]) == 0
        assert Contexts.read().contexts["dev"].project == "team-shared"
        assert run(["version"]) == 0
        assert run(["logout"]) == 0
        assert run(["list"]) == 77

        printed = capsys.readouterr()
        assert "team-a, team-shared" in printed.out
        assert session["CLIENT_SECRET"] not in printed.out + printed.err

    @pytest.mark.parametrize(
        ("options", "code"),
        [
            (["--client-secret-stdin"], 64),
            (["--client-secret-stdin", "--client-id", "alice"], 77),
            ([], 64),
            (["--client-secret-stdin", "--client-id", "alice", "-p", "team-b"], 77),
        ],
    )
    def test_failures_keep_nothing(
        self, session: dict[str, str], monkeypatch: pytest.MonkeyPatch, folder: Path, options: list[str], code: int
    ) -> None:
        """A login that fails changes no file."""
        monkeypatch.setattr(sys, "stdin", io.StringIO("wrong\n"))

        assert run(["login", session["BASE_URL"], *options]) == code
        assert not (folder / "config" / "contexts.json").exists()


def _write_session(folder: Path, session: dict[str, str]) -> None:
    (folder / ".local").mkdir()
    text = "".join(f"export {name}={value}\n" for name, value in session.items())
    (folder / ".local" / "session.env").write_text(text, "utf-8")
