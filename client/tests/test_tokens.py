"""Tokens that are kept, renewed and found, and the server and Project that go with them."""

from __future__ import annotations

import stat
import threading
import time
from typing import TYPE_CHECKING

import pytest
from researcher import NotSignedIn
from researcher.ci_tokens import GitHubActions
from researcher.cli.main import run
from researcher.config import Contexts
from researcher.errors import UsageError
from researcher.session import find_session
from researcher.token_store import Stored, delete_stored, read_stored, write_stored
from researcher.tokens import StoredToken

if TYPE_CHECKING:
    from pathlib import Path

    from token_issuer import Issuer


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

    def test_gitlab_ci(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A job that declares `id_tokens` has a token; it decides over a login of the runner's user."""
        monkeypatch.setenv("RESEARCHER_URL", "https://api.example.com")
        monkeypatch.setenv("GITLAB_CI", "true")
        monkeypatch.setenv("RESEARCHER_ID_TOKEN", "header.claims.signature\n")
        write_stored("https://api.example.com", Stored("c", access_token="other", expires_at=time.time() + 600))

        assert find_session().tokens.bearer() == "header.claims.signature"

    @pytest.mark.parametrize(
        ("service", "remedy"),
        [
            ("GITLAB_CI", "id_tokens: {RESEARCHER_ID_TOKEN: {aud: gpus}}"),
            ("GITHUB_ACTIONS", "permissions: {id-token: write}"),
        ],
    )
    def test_ci_without_a_token(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], service: str, remedy: str
    ) -> None:
        """The error for a CI job without a token says how to declare one; no request is sent."""
        monkeypatch.setenv("RESEARCHER_URL", "https://api.example.invalid")
        monkeypatch.setenv("RESEARCHER_PROJECT", "team-a")
        monkeypatch.setenv("RESEARCHER_AUDIENCE", "gpus")
        monkeypatch.setenv(service, "true")

        assert run(["list"]) == 77
        message = capsys.readouterr().err
        assert remedy in message
        assert "gpus" in message
        assert message.count("\n") == 1

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


def _write_session(folder: Path, session: dict[str, str]) -> None:
    (folder / ".local").mkdir()
    text = "".join(f"export {name}={value}\n" for name, value in session.items())
    (folder / ".local" / "session.env").write_text(text, "utf-8")
