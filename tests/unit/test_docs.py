"""The documentation page and its files, through API Gateway's double."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import fields

import app
from chalicelib.functions.docs import policy
from chalicelib.functions.docs_asset import ASSETS, assets
from chalicelib.runtime.operation import BASE
from chalicelib.settings import Settings, settings
from infra.local.gateway import Gateway
from infra.packaging import docs_assets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.wire import HttpResponse

ROOT = Path(app.__file__).parent
DOCS = "/researcher/api/docs"
NEEDED = [field.name for field in fields(Settings) if field.required] + ["token_url"]


@pytest.fixture(scope="module", autouse=True)
def _assets() -> None:
    """The page as it is built."""
    docs_assets.main()
    assets.cache_clear()


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """The app behind a gateway that is asked without a network."""
    for name in NEEDED:
        monkeypatch.setenv(name.upper(), "https://issuer.example/oauth2/token")
    settings.cache_clear()
    yield Gateway(app.app)
    settings.cache_clear()


def get(gateway: Gateway, path: str) -> HttpResponse:
    """The answer to a GET."""
    return gateway.answer("GET", path, [], b"")


class TestPage:
    """GET /researcher/api/docs."""

    def test_it_is_a_web_page(self, gateway: Gateway) -> None:
        """A browser shows it, and asks nobody for an icon.

        It may load from its own origin, ask it and the issuer, and stand in no frame. Its URL has no slash at the end,
        below which relative URLs would mean something else.
        """
        reply = get(gateway, DOCS)

        assert (reply.status, reply.header("Content-Type")) == (200, "text/html; charset=utf-8")
        assert b'<link rel="icon" href="data:,">' in reply.body
        assert reply.header("Content-Security-Policy") == policy("https://issuer.example/oauth2/token")
        assert (reply.header("X-Content-Type-Options"), reply.header("Referrer-Policy")) == ("nosniff", "no-referrer")
        away = get(gateway, f"{DOCS}/")
        assert (away.status, away.header("Location")) == (308, "../docs")

    def test_everything_it_names_is_there(self, gateway: Gateway) -> None:
        """Each file is served from our own origin, below the page, whatever the stage; no script is inline."""
        page = get(gateway, DOCS).body.decode()

        urls = set(re.findall(r'(?:href|src)="([^"]+)"', page)) - {"data:,", "v1/openapi.json"}
        named = sorted(url for url in urls if url.startswith("docs/"))
        assert (sorted(urls), page.count("<script>")) == (named, 0)
        assert len(named) == len(docs_assets.FROM_SWAGGER_UI + docs_assets.OWN_FILES)
        served = [get(gateway, f"/researcher/api/{name}") for name in named]
        assert [(reply.status, b"sourceMappingURL" in reply.body[-500:]) for reply in served] == [(200, False)] * len(
            named
        )


class TestPolicy:
    """The page's Content-Security-Policy."""

    def test_the_origin_of_the_issuer_may_be_asked(self) -> None:
        """Not its path, and nothing else beside our own origin; without an issuer that alone. Nothing runs inline."""
        assert "connect-src 'self' https://issuer.example:8443;" in policy("https://issuer.example:8443/token?x=1")
        assert "connect-src 'self';" in policy("")
        assert "unsafe" not in policy("")


class TestDocument:
    """GET /researcher/api/v1/openapi.json, which the page loads."""

    @pytest.mark.parametrize("slash", ["", "/"])
    def test_it_names_this_deployment(self, gateway: Gateway, slash: str) -> None:
        """The server is where the document came from; the token URL is the deployment's, and so it may be cached."""
        reply = get(gateway, f"{BASE}/openapi.json{slash}")
        document = json.loads(reply.body)

        assert "max-age" in str(reply.header("Cache-Control"))
        flow = document["components"]["securitySchemes"]["application"]["flows"]["clientCredentials"]
        assert document["servers"] == [{"url": BASE, "description": os.environ["CLUSTER_NAME"]}]
        assert flow["tokenUrl"] == os.environ["TOKEN_URL"]


class TestAssets:
    """GET /researcher/api/docs/{asset}."""

    def test_they_are_kept_for_ever(self, gateway: Gateway) -> None:
        """Their names change with their content."""
        script = next(name for name in assets() if name.startswith("initializer."))

        reply = get(gateway, f"{DOCS}/{script}")

        assert reply.header("Cache-Control") == "public, max-age=31536000, immutable"
        assert reply.header("Content-Type") == "text/javascript; charset=utf-8"

    @pytest.mark.parametrize(
        "name",
        ["swagger-ui.css", "index.html", "..%2fopenapi.json", "%2e%2e%2fhttp.py", "..", "%00", "x" * 300],
    )
    def test_any_other_name_is_nothing(self, gateway: Gateway, name: str) -> None:
        """Names are looked up among the files that there are; no path is made of them."""
        reply = get(gateway, f"{DOCS}/{name}")

        assert (reply.status, reply.header("Content-Type")) == (404, "application/problem+json")


class TestBuild:
    """`python -m infra.packaging.docs_assets`."""

    def test_the_same_sources_make_the_same_files(self, tmp_path: Path) -> None:
        """A build can be repeated, also over an older one; another text is another name."""
        assert docs_assets.hashed_name("a.css", "x") != docs_assets.hashed_name("a.css", "y")
        (tmp_path / "old.js").write_text("")

        docs_assets.write(tmp_path)

        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
            path.name: path.read_bytes() for path in ASSETS.iterdir()
        }
