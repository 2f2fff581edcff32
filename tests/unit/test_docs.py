"""The documentation page and its assets, through the local API Gateway."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import fields

import app
from chalicelib.domain.errors import CATALOGUE
from chalicelib.functions.docs import policy
from chalicelib.functions.docs_asset import ASSETS, assets
from chalicelib.runtime.operation import BASE
from chalicelib.settings import Settings, settings
from infra.local.gateway import Gateway
from infra.packaging import docs_assets
from tests.support.configuration import configuration_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.wire import HttpResponse

ROOT = Path(app.__file__).parent
DOCS = "/researcher/api/docs"
REQUIRED = [field.name for field in fields(Settings) if field.required] + ["token_url", "documentation_url"]


@pytest.fixture(scope="module", autouse=True)
def _assets() -> None:
    """Build the page."""
    docs_assets.main()
    assets.cache_clear()


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """Return a gateway for the app, without a network."""
    for name in REQUIRED:
        monkeypatch.setenv(name.upper(), "https://issuer.example/oauth2/token")
    people = {"clientId": "c1", "scopes": ["openid", "groups"], "deviceFlow": True}
    issuers = [
        {"issuer": "https://sso.example/tenant/", "audiences": ["CANARY"], "prefix": "sso:", "signIn": people},
        {"issuer": "https://ci.example", "audiences": ["CANARY"], "prefix": "ci:"},
        {"issuer": "https://old.example", "audiences": ["CANARY"], "prefix": "old:", "signIn": {"clientId": "c2"}},
    ]
    monkeypatch.setenv("CONFIGURATION_FILE", configuration_file(tokenIssuers=issuers))
    settings.cache_clear()
    yield Gateway(app.app)
    settings.cache_clear()


def get(gateway: Gateway, path: str) -> HttpResponse:
    """Return the response to a GET request."""
    return gateway.answer("GET", path, [], b"")


class TestPage:
    """GET /researcher/api/docs."""

    def test_has_an_entry_for_each_error(self, gateway: Gateway) -> None:
        """The `type` of a problem links to its entry, which says what to do and has no link of the other documentation.

        The links of the OpenAPI document are those of this deployment, too.
        """
        host = [("Host", "api.example.org")]
        problem = json.loads(gateway.answer("GET", f"{BASE}/health?x=1", host, b"").body)
        page = gateway.answer("GET", DOCS, host, b"").body.decode()
        document = gateway.answer("GET", f"{BASE}/openapi.json", host, b"").body.decode()

        assert problem["type"] == f"https://api.example.org{DOCS}#malformed_request"
        entries = dict(re.findall(r'<dt id="(\w+)">.*</dt>\n *<dd>(.*)</dd>', page))
        assert entries.keys() == CATALOGUE.keys()
        assert [text for text in entries.values() if "What to do:" not in text or "](" in text] == []
        assert f"https://api.example.org{DOCS}#invalid_job" in document
        assert "api.invalid" not in document

    def test_host_that_is_not_a_name(self, gateway: Gateway) -> None:
        """A Host header cannot change the document."""
        document = gateway.answer("GET", f"{BASE}/openapi.json", [("Host", 'x", "info": "\\')], b"")

        assert document.status != 200 or json.loads(document.body)["info"]["title"] == "Researcher REST API"

    def test_page_is_served_with_its_headers(self, gateway: Gateway) -> None:
        """A browser displays the page without requesting an icon.

        The page may connect only to its own origin and the token issuer, and must not be framed. A trailing slash is
        redirected, because relative URLs would resolve differently.
        """
        response = get(gateway, DOCS)

        assert (response.status, response.header("Content-Type")) == (200, "text/html; charset=utf-8")
        assert b'<link rel="icon" href="data:image/svg+xml,' in response.body
        assert response.header("Content-Security-Policy") == policy("https://issuer.example/oauth2/token")
        assert (response.header("X-Content-Type-Options"), response.header("Referrer-Policy")) == (
            "nosniff",
            "no-referrer",
        )
        redirect = get(gateway, f"{DOCS}/")
        assert (redirect.status, redirect.header("Location")) == (308, "../docs")

    def test_all_linked_files_are_served(self, gateway: Gateway) -> None:
        """All files are served from our own origin, below the page, in every stage; no script is inline."""
        page = get(gateway, DOCS).body.decode()

        urls = set(re.findall(r'(?:href|src)="(?!data:)([^"]+)"', page)) - {"v1/openapi.json"}
        linked = sorted(url for url in urls if url.startswith("docs/"))
        assert (sorted(urls), page.count("<script>")) == (linked, 0)
        assert len(linked) == len(docs_assets.FROM_SWAGGER_UI + docs_assets.OWN_FILES)
        served = [get(gateway, f"/researcher/api/{name}") for name in linked]
        assert [(response.status, b"sourceMappingURL" in response.body[-500:]) for response in served] == [
            (200, False)
        ] * len(linked)


class TestPolicy:
    """The page's Content-Security-Policy."""

    def test_origin_of_the_issuer_is_allowed(self) -> None:
        """The page may connect to its own origin and to that of the issuer, if there is one; nothing runs inline."""
        assert "connect-src 'self' https://issuer.example:8443;" in policy("https://issuer.example:8443/token?x=1")
        assert "connect-src 'self';" in policy("")
        assert "unsafe" not in policy("")


class TestDocument:
    """GET /researcher/api/v1/openapi.json, which the page loads."""

    @pytest.mark.parametrize(
        ("host", "slash", "origin"),
        [
            ("api.example", "", "https://api.example"),
            ("api.example", "/", "https://api.example"),
            ("127.0.0.1:8000", "", "http://127.0.0.1:8000"),
            ("", "", ""),
        ],
    )
    def test_document_describes_this_deployment(self, gateway: Gateway, host: str, slash: str, origin: str) -> None:
        """The server URL is absolute, with the domain of the request, and the token URL is the deployment's."""
        response = gateway.answer("GET", f"{BASE}/openapi.json{slash}", [("Host", host)], b"")
        document = json.loads(response.body)

        assert "max-age" in str(response.header("Cache-Control"))
        flow = document["components"]["securitySchemes"]["application"]["flows"]["clientCredentials"]
        assert document["servers"] == [{"url": origin + BASE, "description": os.environ["CLUSTER_NAME"]}]
        assert document["externalDocs"]["url"] == os.environ["DOCUMENTATION_URL"]
        assert flow["tokenUrl"] == os.environ["TOKEN_URL"]

    def test_sign_in_of_people(self, gateway: Gateway) -> None:
        """Each public issuer is a security scheme of the operations with a token, and the others are not published."""
        document = json.loads(gateway.answer("GET", f"{BASE}/openapi.json", [], b"").body)
        schemes = document["components"]["securitySchemes"]

        urls = {name: scheme.get("openIdConnectUrl") for name, scheme in schemes.items() if name.startswith("signIn")}
        assert urls == {
            "signIn": "https://sso.example/tenant/.well-known/openid-configuration",
            "signIn2": "https://old.example/.well-known/openid-configuration",
        }
        assert "`c1`, the authorization code flow with PKCE or the device flow" in schemes["signIn"]["description"]
        assert "`openid groups`" in schemes["signIn"]["description"]
        assert "device flow" not in schemes["signIn2"]["description"]
        operations = {path: document["paths"][path]["get"]["security"] for path in ("/projects", "/health", "/sign-in")}
        token: list[dict[str, list[str]]] = [{"bearer": []}, {"application": []}, {"signIn": []}, {"signIn2": []}]
        assert operations == {"/projects": token, "/health": [{}, *token], "/sign-in": [{}]}
        assert "CANARY" not in json.dumps(document)


class TestSignIn:
    """GET /researcher/api/v1/sign-in."""

    def test_public_issuers(self, gateway: Gateway) -> None:
        """The clients of the public issuers are returned without a token, in the order of the configuration."""
        response = gateway.answer("GET", f"{BASE}/sign-in", [], b"")

        assert (response.status, response.header("Cache-Control")) == (200, "public, max-age=300")
        assert json.loads(response.body) == {
            "data": [
                {
                    "issuer": "https://sso.example/tenant/",
                    "clientId": "c1",
                    "scopes": ["openid", "groups"],
                    "redirectUris": [],
                    "deviceFlow": True,
                },
                {
                    "issuer": "https://old.example",
                    "clientId": "c2",
                    "scopes": ["openid"],
                    "redirectUris": [],
                    "deviceFlow": False,
                },
            ]
        }

    def test_own_user_pool(self, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
        """The stack's own user pool is public."""
        monkeypatch.setenv("CONFIGURATION_FILE", configuration_file())
        monkeypatch.setenv("USER_POOL_ISSUER", "https://pool.example/eu-west-1_A")
        monkeypatch.setenv("USER_POOL_CLIENT_ID", "c3")

        (found,) = json.loads(gateway.answer("GET", f"{BASE}/sign-in", [], b"").body)["data"]

        assert (found["issuer"], found["clientId"]) == ("https://pool.example/eu-west-1_A", "c3")
        assert (found["scopes"], found["deviceFlow"]) == (["openid", "researcher-people/sign-in"], False)
        assert found["redirectUris"] == ["http://localhost:8976/callback"]

    def test_invalid_configuration(self, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a valid configuration nothing is published."""
        monkeypatch.setenv("CONFIGURATION_FILE", configuration_file(tokenIssuers=[{"issuer": "CANARY"}]))

        response = gateway.answer("GET", f"{BASE}/sign-in", [], b"")

        assert response.status == 500
        assert b"CANARY" not in response.body


class TestAssets:
    """GET /researcher/api/docs/{asset}."""

    def test_assets_are_immutable(self, gateway: Gateway) -> None:
        """Assets can be cached forever, because their names contain a hash."""
        script = next(name for name in assets() if name.startswith("initializer."))

        response = get(gateway, f"{DOCS}/{script}")

        assert response.header("Cache-Control") == "public, max-age=31536000, immutable"
        assert response.header("Content-Type") == "text/javascript; charset=utf-8"

    @pytest.mark.parametrize(
        "name",
        ["swagger-ui.css", "index.html", "..%2fopenapi.json", "%2e%2e%2fhttp.py", "..", "%00", "x" * 300],
    )
    def test_any_other_name_is_not_found(self, gateway: Gateway, name: str) -> None:
        """Any other name is not found; names are looked up in a list and never become a path."""
        response = get(gateway, f"{DOCS}/{name}")

        assert (response.status, response.header("Content-Type")) == (404, "application/problem+json")


class TestBuild:
    """`python -m infra.packaging.docs_assets`."""

    def test_build_is_reproducible(self, tmp_path: Path) -> None:
        """A build is reproducible and removes old files; another text results in another name."""
        assert docs_assets.hashed_name("a.css", "x") != docs_assets.hashed_name("a.css", "y")
        (tmp_path / "old.js").write_text("")

        docs_assets.write(tmp_path)

        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
            path.name: path.read_bytes() for path in ASSETS.iterdir()
        }
