"""TLS with a certificate authority of one's own, proxies, redirects, and what a hostile server sends."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from http_server import OK, Server, transport
from researcher import Unavailable, UsageError
from researcher.connection import find_proxy

from infra.localcluster.certificates import ServerIdentity, Shape, server_identity

if TYPE_CHECKING:
    from pathlib import Path

HOST = "api.test"


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
