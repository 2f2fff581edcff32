"""Sign-in of people and machines, against a token issuer on loopback."""

from __future__ import annotations

import io
import json
import socket
import sys
from typing import TYPE_CHECKING, Any

import pytest
from conftest import TESTS
from researcher import NotSignedIn
from researcher.cli.main import run
from researcher.config import Contexts
from researcher.errors import UsageError
from researcher.sign_in import PublicClient, discover, published_clients, with_browser, with_device

if TYPE_CHECKING:
    from pathlib import Path

    from token_issuer import Issuer

CLIENT_ID = "cli"


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


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


class TestPublished:
    """The document of the API with the issuers for people."""

    def example(self) -> dict[str, Any]:
        """Return the example of the server's own OpenAPI document."""
        document = json.loads((TESTS.parents[1] / "chalicelib/openapi.json").read_text("utf-8"))
        (path,) = (path for path in document["paths"] if path.endswith("/sign-in"))
        content = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
        example: dict[str, Any] = content.get("example") or next(iter(content["examples"].values()))["value"]
        return example

    def test_the_example_of_the_server(self, issuer: Issuer) -> None:
        """What the server documents is what this client reads: issuer, client ID, scopes, redirect URIs, flows."""
        issuer.published = self.example()

        assert published_clients(issuer.url) == [
            PublicClient("https://example.okta.com/oauth2/default", "0oa1b2c3d4", "openid groups", (), device_flow=True)
        ]

    def test_without_scopes(self, issuer: Issuer) -> None:
        """Without scopes, an ID and a refresh token are requested."""
        (listed,) = self.example()["data"]
        issuer.published = {"data": [listed | {"scopes": [], "redirectUris": ["http://localhost:1/"]}]}

        (found,) = published_clients(issuer.url)
        assert (found.scope, found.redirects) == ("openid offline_access", ("http://localhost:1/",))

    @pytest.mark.parametrize("redirects", [[], ["http://localhost:8400/callback"]])
    def test_without_the_device_flow(
        self, issuer: Issuer, capsys: pytest.CaptureFixture[str], redirects: list[str]
    ) -> None:
        """`--device` is refused in one sentence, and nothing is requested of the issuer."""
        (listed,) = self.example()["data"]
        own = {"issuer": issuer.url, "deviceFlow": False, "redirectUris": redirects}
        issuer.published = {"data": [listed | own]}

        assert run(["login", issuer.url, "--device"]) == 64
        message = capsys.readouterr().err
        assert message == (
            f"Error: {issuer.url} does not offer the device flow to this program: sign in without --device.\n"
        )
        assert issuer.forms == []


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
